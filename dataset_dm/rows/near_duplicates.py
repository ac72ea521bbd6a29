"""Near-duplicates among many images: a perceptual hash of each, and the pairs that differ in few of its bits.

    hashes = np.stack([perceptual_hash(image) for image in images])
    near = first_alike(hashes, distance=16)      # near[i] is an earlier image that i repeats, or -1

Pairs are found by bands: hashes that differ in d bits agree in one of d + 1 bands, so only images that share a band
are compared. 80 000 images take seconds instead of the hours for all pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64, UInt8, UInt64
from PIL import Image
from scipy.fft import dctn

SIDE = 16  # rows and columns of low frequencies
BITS = SIDE * SIDE
# Bits of 256. Measured on 512 images of the embedded generator: unrelated ones of the same class differ in 64 and
# more; JPEG of quality 40, half the size, noise of 6/255 or 10 % more light move 20 and less.
DISTANCE = 20
FARTHEST = 32
_GRID = 4 * SIDE  # pixels a side of the grey image that is transformed
# ones in every number of 16 bits
_ONES = np.unpackbits(np.arange(2**16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).sum(
    axis=1, dtype=np.uint8
)


def perceptual_hash(image: UInt8[np.ndarray, "H W 3"]) -> UInt64[np.ndarray, " 4"]:
    """256 bits that similar images share: which of the 16 x 16 lowest frequencies of brightness exceed their median.

    The frequencies are those of a cosine transform of 64 x 64 pixels, as in "pHash" (Zauner, 2010). Size, brightness,
    slight blur and compression change few bits; another scene changes about half of them.
    """
    grey = Image.fromarray(image).convert("L").resize((_GRID, _GRID), Image.Resampling.BOX)
    waves = dctn(np.asarray(grey, dtype=np.float64), norm="ortho")[:SIDE, :SIDE]
    # rounded, so that absent frequencies do not depend on the last bits of a sum
    waves = np.round(waves, 3).ravel()
    above = waves > np.median(waves[1:])  # the first is the mean brightness
    return np.packbits(above).view(np.uint64).copy()


def distances(
    first: UInt64[np.ndarray, "*#shape 4"], second: UInt64[np.ndarray, "*#shape 4"]
) -> Int64[np.ndarray, "*_"]:
    """Number of bits in which hashes differ."""
    differing = np.ascontiguousarray(first ^ second)
    return np.asarray(_ONES[differing.view(np.uint16)].sum(axis=-1, dtype=np.int64))


def first_alike(hashes: UInt64[np.ndarray, "n 4"], distance: int, *, given: int = 0) -> Int64[np.ndarray, " n"]:
    """For every hash the position of an earlier one that stays within `distance` bits of it; -1 if it stays itself.

    Args:
        hashes: in the order of precedence: of similar images the first one stays.
        distance: 0 to FARTHEST; beyond it, bands are too narrow for a fast search.
        given: number of photos at the start, which all stay.

    An image that resembles only images that do not stay, stays. Results for the first hashes do not depend on later
    ones.
    """
    count = len(hashes)
    alike = np.full(count, -1, np.int64)
    distinct, earliest, which = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(earliest, kind="stable")  # distinct hashes as they first appear
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    places = earliest[order]
    stays = np.ones(len(order), bool)
    for later, earlier in _ordered_pairs(distinct[order], distance):
        if places[later] >= given and stays[later] and stays[earlier]:
            stays[later] = False
            alike[places[later]] = places[earlier]
    repeated = np.flatnonzero(places[rank[which]] != np.arange(count))
    for position in repeated[repeated >= given]:
        first = places[rank[which[position]]]
        alike[position] = first if alike[first] < 0 else alike[first]
    return alike


def _ordered_pairs(hashes: np.ndarray, distance: int) -> Iterator[tuple[int, int]]:
    """(later, earlier) of all pairs within the distance, by the later one, then by the earlier one."""
    found = [np.zeros(0, np.int64)]
    for key in _bands(hashes, distance + 1):
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        for step in range(1, len(key)):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(same):
                break
            earlier, later = order[same], order[same + step]
            near = distances(hashes[earlier], hashes[later]) <= distance
            found.append(later[near] * len(hashes) + earlier[near])  # a pair as one number
    for number in np.unique(np.concatenate(found)):
        yield divmod(int(number), len(hashes))


def _bands(hashes: np.ndarray, bands: int) -> Iterator[np.ndarray]:
    """The bits [n 256] in bands of nearly equal width, each as one number per hash."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for columns in np.array_split(np.arange(BITS), bands):
        # bits far apart in frequency: neighbours tend to agree, which would fill few buckets with many images
        packed = np.packbits(bits[:, _SPREAD[columns]], axis=1)
        _, key = np.unique(packed, axis=0, return_inverse=True)
        yield key.reshape(-1)


# every bit once, in steps that have no divisor in common with the number of bits
_SPREAD = np.arange(BITS) * 37 % BITS

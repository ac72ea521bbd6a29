"""Label Studio's run lengths of a brush mask: RGBA pixels in thi.ng's rle-pack form, as a list of bytes.

A head of 32 bits (how many values), 5 (bits a value, less one) and four times 4 (bits of a count, less one); then
blocks: a bit that says whether one value is repeated, 2 bits that choose the size of the count, the count less one, and
the value, or so many values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool

from dataset_dm.exports.regions import run_lengths
from dataset_dm.labels.file_instance import Size

_WORD = 8
_COUNT_BITS = (3, 4, 8, 16)
_CHANNELS = 4
_PAINTED = 128  # alpha from which on a pixel belongs to the mask: the brush's edge is soft


def encode(mask: Bool[np.ndarray, "H W"]) -> list[int]:
    """The bytes of a mask: white where it is true, transparent black elsewhere."""
    runs = [_CHANNELS * run for run in run_lengths(mask)]
    head = [f"{sum(runs):032b}", f"{_WORD - 1:05b}", *(f"{bits - 1:04b}" for bits in _COUNT_BITS)]
    bits = "".join([*head, *_blocks(runs)])
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def decode(data: Sequence[int], size: Size) -> Bool[np.ndarray, "H W"]:
    """The mask of such bytes; ValueError when they do not fill `size` (H, W) or are truncated."""
    bits = "".join(f"{int(byte):08b}" for byte in data)
    count, position = int(bits[:32] or "0", 2), 32
    height, width = size
    if count != height * width * _CHANNELS:
        raise ValueError(f"{count // _CHANNELS} pixels, expected {height * width} ({width}×{height})")
    word = int(bits[position : position + 5], 2) + 1
    sizes = [int(bits[i : i + 4], 2) + 1 for i in range(position + 5, position + 21, 4)]
    position += 21
    values = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        repeated, length = bits[position] == "1", sizes[int(bits[position + 1 : position + 3], 2)]
        position += 3
        run = int(bits[position : position + length], 2) + 1
        position += length
        words = 1 if repeated else run
        part = bits[position : position + words * word]
        if len(part) < words * word or done + run > count:
            raise ValueError("the run lengths break off")
        values[done : done + run] = [int(part[i : i + word], 2) for i in range(0, len(part), word)]
        position += words * word
        done += run
    return values.reshape(height, width, _CHANNELS)[..., -1] >= _PAINTED


def _blocks(runs: Sequence[int]) -> Iterator[str]:
    """Every run of equal values as bits, in as many blocks as the largest count needs."""
    for place, left in enumerate(runs):
        value = f"{255 * (place % 2):0{_WORD}b}"
        while left > 0:
            run = min(left, 2 ** _COUNT_BITS[-1])
            kind = next(i for i, bits in enumerate(_COUNT_BITS) if run <= 2**bits)
            yield f"1{kind:02b}{run - 1:0{_COUNT_BITS[kind]}b}{value}"
            left -= run

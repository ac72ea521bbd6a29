"""Images that are alike, by hashes worked out by hand and by images that were really changed."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from dataset_dm.miniature.world import sample
from dataset_dm.rows.near_duplicates import BITS, DISTANCE, FARTHEST, distances, first_alike, perceptual_hash


def bits(*ones: int) -> np.ndarray:
    """A hash with these bits set."""
    flags = np.zeros(BITS, np.uint8)
    flags[list(ones)] = 1
    return np.packbits(flags).view(np.uint64)


def test_distance_counts_bits() -> None:
    assert distances(bits(0, 7, 255), bits(7, 8)) == 3
    assert distances(np.stack([bits(), bits(1)]), bits(1)).tolist() == [1, 0]


def test_the_first_stays_and_a_chain_does_not_swallow_all() -> None:
    chain = np.stack([bits(), bits(1), bits(1, 2), bits(*range(100))])
    # 1 is like 0; 2 is like 1, which does not stay, and is two bits from 0: it stays
    assert first_alike(chain, 1).tolist() == [-1, 0, -1, -1]
    assert first_alike(chain, 2).tolist() == [-1, 0, 0, -1]
    assert first_alike(chain, 0).tolist() == [-1] * 4


def test_equal_images_and_photos() -> None:
    a, near, b = bits(*range(50)), bits(*range(51)), bits(200, 201)
    assert first_alike(np.stack([a, b, a, b, near, near]), 1).tolist() == [-1, -1, 0, 1, 0, 0]
    # two photos that are alike both stay; images like the second only are found all the same
    photos = np.stack([bits(), bits(1), bits(1, 2), a, bits(1)])
    assert first_alike(photos, 1, given=2).tolist() == [-1, -1, 1, -1, 1]
    assert first_alike(np.zeros((0, 4), np.uint64), 3).tolist() == []


@pytest.mark.parametrize("distance", [0, 3, 20, FARTHEST])
def test_bands_find_what_a_look_at_all_pairs_finds(distance: int) -> None:
    rng = np.random.default_rng(distance)
    flags = rng.integers(0, 2, (60, BITS), dtype=np.uint8)
    near = flags[rng.integers(0, 60, 200)].copy()
    for row in near:
        row[rng.choice(BITS, rng.integers(0, 2 * distance + 2), replace=False)] ^= 1
    hashes = np.packbits(np.concatenate([flags, near]), axis=1).view(np.uint64)
    expected: list[int] = []
    for position, one in enumerate(hashes):
        kept = [other for other in range(position) if expected[other] < 0]
        alike = [other for other in kept if distances(hashes[other], one) <= distance]
        expected.append(alike[0] if alike else -1)
    assert first_alike(hashes, distance).tolist() == expected
    assert first_alike(hashes[:100], distance).tolist() == expected[:100], "growth changes no verdict"


def test_small_changes_move_few_bits_other_scenes_many() -> None:
    images = [sample(0, index)[1].image for index in range(8)]
    hashes = np.stack([perceptual_hash(one) for one in images])
    first, second = np.triu_indices(len(hashes), 1)
    assert distances(hashes[first], hashes[second]).min() > FARTHEST
    for image, one in zip(images, hashes, strict=True):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=60)
        half = Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC)
        for changed in (np.array(Image.open(file)), np.array(half), np.clip(image * 1.05, 0, 255).astype(np.uint8)):
            assert distances(perceptual_hash(changed), one) <= DISTANCE


def test_eighty_thousand_take_seconds() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (80_000, BITS // 64), dtype=np.uint64)
    hashes[79_999] = hashes[5] ^ np.uint64(0b111)
    start = time.process_time()
    found = first_alike(hashes, DISTANCE)
    assert np.flatnonzero(found >= 0).tolist() == [79_999] and found[79_999] == 5
    assert time.process_time() - start < 30

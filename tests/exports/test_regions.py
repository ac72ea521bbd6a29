"""Regions of class maps, void pixels, run lengths."""

import numpy as np

from dataset_dm.exports.regions import class_regions, run_lengths, united, void_of
from dataset_dm.exports.sample import Labels

LABEL = np.array([[0, 1, 255], [3, 1, 0]], np.uint8)


def test_a_class_map_is_one_region_per_class() -> None:
    regions = class_regions(LABEL)
    assert [region.category for region in regions] == [0, 2]
    assert regions[0].mask.tolist() == [[False, True, False], [False, True, False]]


def test_void_pixels() -> None:
    assert void_of(Labels(label=LABEL)).tolist() == [[False, False, True], [False] * 3]
    assert void_of(Labels()) is None and void_of(Labels(label=np.zeros((2, 2), np.uint8))) is None


def test_masks_are_united() -> None:
    assert united([LABEL == 1, LABEL == 3], (2, 3)).sum() == 3 and not united([], (2, 3)).any()


def test_run_lengths_start_with_empty_pixels() -> None:
    assert run_lengths(LABEL == 1) == [1, 1, 2, 1, 1]
    assert run_lengths(np.ones((2, 2), bool)) == [0, 4]

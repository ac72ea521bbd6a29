"""Differences between two versions of a row, worked out by hand."""

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.labels import rle
from dataset_dm.labels.images import encode_depth, encode_png
from dataset_dm.rows.compare import row_differences


def row(level: int = 100, label: int = 1, depth: float = 2.0, width: int = 4) -> dict:
    """A row of one colour, one class map value, one depth and two objects of two pixels."""
    masks = [np.eye(2, 4, dtype=bool), np.eye(2, 4, k=1, dtype=bool)]
    return {
        "image": {"bytes": encode_png(np.full((2, width, 3), level, np.uint8))},
        "label": {"bytes": encode_png(np.array([[1, 1, 1, 1], [1, 1, 1, label]], np.uint8))},
        "depth_map": {"bytes": encode_depth(np.full((2, 4), depth, np.float32))},
        "objects": {"category": [0, label], "segmentation": [rle.encode(mask) for mask in masks]},
    }


def test_equal_rows_are_the_same_to_the_last_byte() -> None:
    found = row_differences(row(), row())
    assert [one.column for one in found] == ["image", "label", "depth_map", "objects"]
    assert all(one.same and one.share == 1 and one.tolerated for one in found)
    assert str(found[0]) == "image: the same to the last byte"


def test_small_changes_are_tolerated_and_others_are_shares() -> None:
    found = {one.column: one for one in row_differences(row(), row(level=102, label=2, depth=2.01))}
    assert not found["image"].same and found["image"].tolerated and found["depth_map"].tolerated
    assert found["label"].share == 7 / 8 and found["objects"].share == 0.5 and not found["label"].tolerated
    assert str(found["label"]) == "label: 87.500 % of its pixels agree"
    assert row_differences(row(), row(level=103))[0].share == 0


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match="image: got .2, 5, 3., expected the row's .2, 4, 3."):
        row_differences(row(), row(width=5))

"""Which object of corrected files belongs to which object of the set."""

import numpy as np
import pytest

from dataset_dm.exports.match import assign, changes, matches, overlaps
from dataset_dm.labels.file_instance import FileInstance

LEFT, RIGHT = (0.0, 0.0, 4.0, 4.0), (8.0, 0.0, 4.0, 4.0)


def test_overlap_of_boxes() -> None:
    np.testing.assert_allclose(overlaps([LEFT], [LEFT, RIGHT, (2.0, 0.0, 4.0, 4.0)]), [[1, 0, 8 / 24]])
    assert overlaps([], [LEFT]).shape == (0, 1)


def test_preferred_pairs_come_before_larger_overlaps() -> None:
    near = (1.0, 0.0, 4.0, 4.0)  # 12 of 20 pixels
    assert assign([LEFT], [LEFT, near], 0.5, lambda i, j: j == 1) == {0: 1}
    assert assign([LEFT], [LEFT, near], 0.5, lambda i, j: True) == {0: 0}
    assert assign([LEFT, near], [LEFT], 0.5, lambda i, j: True) == {0: 0}
    assert assign([LEFT], [near], 0.7, lambda i, j: True) == {}


def test_rounded_values_are_no_changes() -> None:
    written = FileInstance(category=0, box=LEFT, score=0.5)
    assert changes(written, FileInstance(category=0, box=(0.04, 0, 4, 4), score=0.5004)) == {}
    assert changes(written, FileInstance(category=1, box=(0.1, 0, 4, 4))) == {"category": 1, "box": (0.1, 0, 4, 4)}


@pytest.mark.parametrize(
    ("found", "own"),
    [
        ([(0, RIGHT), (0, LEFT)], [1, 0]),  # another order
        ([(1, (0.0, 0.0, 4.0, 3.0))], [0]),  # another class, a smaller box
        ([(0, (4.0, 4.0, 2.0, 2.0)), (0, RIGHT)], [None, 1]),  # a new object
    ],
)
def test_objects_find_their_own(found: list[tuple[int, tuple[float, ...]]], own: list[int | None]) -> None:
    written = [FileInstance(category=0, box=LEFT), FileInstance(category=0, box=RIGHT)]
    assert matches(written, [FileInstance(category=category, box=box) for category, box in found]) == own

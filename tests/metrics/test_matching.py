"""Which find is which instance, by hand."""

import numpy as np
import pytest

from dataset_dm.metrics.matching import match
from tests.metrics.scenes import found, square, true

CAR, DOG = 1, 2


def test_overlaps_and_classes() -> None:
    truth = true((square(5, 5, 10), CAR), (square(30, 30, 10), DOG))
    objects = found((square(5, 7, 10), CAR, 0.9), (square(30, 30, 10), CAR, 0.8), (square(50, 50, 5), DOG, 0.7))
    matches = match(objects, truth)
    assert matches.iou == pytest.approx(np.array([[80 / 120, 0], [0, 1], [0, 0]]))
    assert matches.truth.tolist() == [0, -1, -1]  # the second has the right outline and the wrong class
    assert not matches.ignored.any()
    # one match of IoU 2/3; two false finds weighing 0.8 and 0.7; one dog missed
    assert matches.quality(objects.scores) == pytest.approx((2 / 3) / (1 + 0.75 + 0.5))


def test_exactly_half_is_right_and_given_once() -> None:
    left, right = square(5, 5, 10), square(5, 5, 10)
    left[:, 10:], right[:, :10] = False, False
    matches = match(found((left, CAR, 0.6), (right, CAR, 0.9)), true((square(5, 5, 10), CAR)))
    assert matches.iou.tolist() == [[0.5], [0.5]]
    assert matches.truth.tolist() == [-1, 0]  # the one of higher score has it


def test_finds_on_void_are_neither_right_nor_wrong() -> None:
    truth = true((square(5, 5, 10), CAR), ignore=square(30, 30, 10))
    objects = found((square(30, 30, 10), CAR, 0.9), (square(30, 36, 10), CAR, 0.9), (square(5, 5, 10), CAR, 0.5))
    matches = match(objects, truth)
    assert matches.ignored.tolist() == [True, False, False]  # all, 40 %, none of it on void
    assert matches.truth.tolist() == [-1, -1, 0]


def test_nothing_on_either_side() -> None:
    empty = match(found(), true())
    assert empty.iou.shape == (0, 0) and empty.quality(np.zeros(0)) == 1
    assert match(found(), true((square(0, 0, 4), CAR))).quality(np.zeros(0)) == 0
    lonely = match(found((square(0, 0, 4), CAR, 0.5)), true())
    assert lonely.truth.tolist() == [-1] and lonely.quality(np.array([0.5])) == 0


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"masks have size \(32, 32\), the truth \(64, 64\)"):
        match(found((square(0, 0, 4, 32), CAR, 0.5)), true())

"""Boundary F-score by hand: squares moved by a counted number of pixels."""

import math

import numpy as np
import pytest

from dataset_dm.metrics.boundary import Boundaries, near, outline
from tests.metrics.scenes import square


def label(*parts: tuple[np.ndarray, int]) -> np.ndarray:
    ids = np.zeros((64, 64), dtype=np.uint8)
    for mask, k in parts:
        ids[mask] = k
    return ids


def score(prediction: np.ndarray, truth: np.ndarray, classes: int = 3) -> np.ndarray:
    boundaries = Boundaries(classes)
    boundaries.add(prediction, truth)
    return boundaries.f_score()


def test_outline_is_the_rim_of_a_square() -> None:
    rim = outline(label((square(10, 10, 6), 1)), 1)
    assert rim.sum() == 4 * 6 - 4 and not rim[11:15, 11:15].any()


def test_frame_and_void_are_no_outline() -> None:
    assert outline(label((square(0, 0, 6), 1)), 1).sum() == 6 + 5  # the two inner sides
    ids = label((square(10, 10, 6), 1))
    ids[ids == 0] = 255
    assert not outline(ids, 1).any()


def test_near_counts_the_pixel_itself_and_four_neighbours() -> None:
    point = square(10, 10, 1)
    assert near(point, 1.0).sum() == 5 and near(point, 1.5).sum() == 9 and not near(np.zeros_like(point), 9).any()


def test_one_pixel_is_forgiven_and_two_are_not() -> None:
    # 64² pixels: 0.0075 of the diagonal is 0.68, so one pixel
    truth = label((square(10, 10, 10), 1))
    assert score(truth, truth)[1] == 1
    assert score(label((square(10, 11, 10), 1)), truth)[1] == 1
    # moved by three: of the 36 outline pixels those in the 7 shared columns of the top and of the bottom row have a
    # partner, so do one beside each of these rows and one under or over it in the shared column of the side
    assert score(label((square(10, 13, 10), 1)), truth)[1] == pytest.approx(2 * (7 + 1 + 1) / 36)


def test_large_images_forgive_more() -> None:
    truth, moved = np.zeros((2, 600, 800), dtype=np.uint8)  # 0.0075 of the diagonal is 7.5 pixels
    truth[100:300, 100:300], moved[107:307, 100:300] = 1, 1
    boundaries = Boundaries(2)
    boundaries.add(moved, truth)
    assert boundaries.mean() == 1


def test_missed_and_invented_classes_are_zero_and_absent_ones_do_not_count() -> None:
    truth = label((square(10, 10, 10), 1))
    scores = score(label((square(40, 40, 10), 2)), truth, classes=4)
    assert scores[1] == 0 and scores[2] == 0 and np.isnan(scores[0]) and np.isnan(scores[3])
    assert math.isnan(Boundaries(3).mean())


def test_what_lies_on_true_void_is_left_out() -> None:
    truth = label((square(10, 10, 10), 1))
    truth[30:] = 255
    assert score(label((square(10, 10, 10), 1), (square(40, 40, 10), 2)), truth)[1:] == pytest.approx(
        [1, np.nan], nan_ok=True
    )


def test_counts_are_summed_over_images() -> None:
    truth = label((square(10, 10, 10), 1))
    boundaries = Boundaries(2)
    boundaries.add(truth, truth)
    boundaries.add(np.zeros_like(truth), truth)
    # every labelled outline pixel is right, half of the true ones are found
    assert boundaries.mean() == pytest.approx(2 * 1 * 0.5 / 1.5)

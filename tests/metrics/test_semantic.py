"""Confusion, IoU and mIoU by hand on 4×4 masks."""

import numpy as np
import pytest

from dataset_dm.metrics.semantic import Confusion, image_miou

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)
PREDICTION = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [2, 2, 2, 2], [0, 0, 0, 0]], dtype=np.uint8)
# truth 0 (8 pixels): 5 right, 1 as class 1, 2 as class 2; truth 1 (4): 4 right; truth 2 (4): 2 right, 2 as background.
MATRIX = [[5, 1, 2], [0, 4, 0], [2, 0, 2]]


def counted(prediction: np.ndarray = PREDICTION, truth: np.ndarray = TRUTH, classes: int = 3) -> Confusion:
    confusion = Confusion(classes)
    confusion.add(prediction, truth)
    return confusion


def test_matrix_rows_are_truth() -> None:
    assert counted().matrix.tolist() == MATRIX


def test_iou_by_hand() -> None:
    # class 0: 5 / (8 + 7 - 5); class 1: 4 / (4 + 5 - 4); class 2: 2 / (4 + 4 - 2)
    assert counted().iou() == pytest.approx([5 / 10, 4 / 5, 2 / 6])
    assert counted().miou() == pytest.approx((5 / 10 + 4 / 5 + 2 / 6) / 3)


def test_precision_and_accuracy_of_a_small_matrix() -> None:
    assert counted().precision() == pytest.approx([5 / 7, 4 / 5, 1 / 2])
    assert counted().accuracy() == pytest.approx(11 / 16)


def test_half_right_is_a_half() -> None:
    truth = np.zeros((4, 4), dtype=np.uint8)
    truth[:, 2:] = 1
    prediction = np.zeros((4, 4), dtype=np.uint8)
    prediction[:2, 2:] = 1
    prediction[2:, :2] = 1  # IoU 4 / 12 for both
    assert image_miou(prediction, truth, 2) == pytest.approx(1 / 3)
    assert image_miou(truth, truth, 2) == 1.0


def test_a_class_that_occurs_nowhere_does_not_count() -> None:
    confusion = counted(classes=5)
    assert np.isnan(confusion.iou()[3:]).all()
    assert confusion.miou() == pytest.approx(counted().miou())


def test_a_class_predicted_though_absent_counts_as_zero() -> None:
    prediction = np.where(TRUTH == 2, 3, TRUTH).astype(np.uint8)
    assert counted(prediction, classes=4).iou() == pytest.approx([1, 1, 0, 0])


def test_void_truth_never_counts_and_void_prediction_is_a_share() -> None:
    truth, prediction = TRUTH.copy(), PREDICTION.copy()
    truth[0] = 255  # four pixels without an answer
    prediction[0] = 255  # abstaining there is free
    prediction[3, :2] = 255  # abstaining on two pixels of class 2 that were wrong
    confusion = counted(prediction, truth)
    assert confusion.matrix.sum() == 10 and confusion.void == 2
    assert confusion.void_share() == pytest.approx(2 / 12)
    assert confusion.iou()[2] == pytest.approx(2 / 4)  # better than 2 / 6: why figures count every pixel


def test_sum_over_images_is_not_the_mean_of_images() -> None:
    confusion = Confusion(2)
    confusion.add(np.array([[1]], dtype=np.uint8), np.array([[1]], dtype=np.uint8))
    confusion.add(np.array([[1, 0, 0, 0]], dtype=np.uint8), np.array([[1, 1, 1, 1]], dtype=np.uint8))
    assert confusion.iou()[1] == pytest.approx(2 / 5)


def test_worst_confusions_are_shares_of_the_truth() -> None:
    worst = counted().worst_confusions(["background", "car", "dog"], 2)
    assert worst == [("dog", "background", 0.5), ("background", "dog", 0.25)]


def test_empty_is_nan_not_zero() -> None:
    assert np.isnan(Confusion(3).miou()) and np.isnan(Confusion(3).accuracy()) and np.isnan(Confusion(3).void_share())


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"prediction has shape \(4, 4\), truth \(4, 3\)"):
        counted(truth=TRUTH[:, :3])
    with pytest.raises(ValueError, match="truth has id 7, the task has 0..2"):
        counted(truth=np.where(TRUTH == 2, 7, TRUTH).astype(np.uint8))

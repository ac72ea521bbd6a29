"""Label figures by hand: every pixel beside void left out, calibration before voiding, the worst pictures."""

import numpy as np
import pytest

from dataset_dm.evaluation.figures import LabelFigures, class_table
from dataset_dm.records import Annotation

NAMES = ["background", "car", "dog"]
TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)


def annotation(full: np.ndarray, probability: np.ndarray, void_below: float = 0.0) -> Annotation:
    unsure = probability < void_below
    label = np.where(unsure, 255, full).astype(np.uint8)
    return Annotation(
        label, np.zeros(2, np.float32), float(probability.mean()), float(unsure.mean()), full, probability
    )


def test_every_pixel_and_void_left_out_by_hand() -> None:
    full = TRUTH.copy()
    full[3, :2] = 0  # two dog pixels missed …
    probability = np.full((4, 4), 0.9, dtype=np.float32)
    probability[3, :2] = 0.3  # … where it was unsure
    run = LabelFigures(NAMES)
    run.add(np.zeros((4, 4, 3), np.uint8), annotation(full, probability, void_below=0.5), TRUTH)
    assert run.every.iou() == pytest.approx([8 / 10, 1, 2 / 4])
    assert run.every.void == 0
    assert run.voided.iou() == pytest.approx([1, 1, 1])
    assert run.voided.void_share() == pytest.approx(2 / 16)
    # of the foreground: 6 pixels, sure 0.9, all right
    assert run.reliability.ece() == pytest.approx(0.1, abs=1e-6)
    assert run.reliability.count.sum() == 6
    figures = run.figures("x_")
    assert figures["x_miou"] == pytest.approx((0.8 + 1 + 0.5) / 3) and figures["x_miou_without_void"] == 1


def test_worst_pictures_first_and_bounded() -> None:
    run = LabelFigures(NAMES, keep_worst=2)
    for wrong in (1, 8, 0, 4):  # pixels turned to background or car
        full = TRUTH.copy().ravel()
        full[:wrong] = (full[:wrong] + 1) % 3
        run.add(np.zeros((4, 4, 3), np.uint8), annotation(full.reshape(4, 4), np.ones((4, 4), np.float32)), TRUTH)
    assert [row.index for row in run.worst()] == [1, 3]
    assert run.images == 4


def test_table_ends_with_the_summary_rows() -> None:
    run = LabelFigures(NAMES)
    run.add(np.zeros((4, 4, 3), np.uint8), annotation(TRUTH, np.ones((4, 4), np.float32)), TRUTH)
    table = class_table("t", [("blind", run)])
    assert table.rows[0] == ["background", 1.0, 8]
    assert [row[0] for row in table.rows[3:]] == [
        "mIoU, every pixel",
        "void share",
        "mIoU, void left out",
        "ECE of foreground",
    ]


def test_figures_refuse_what_would_flatter() -> None:
    run, image = LabelFigures(NAMES), np.zeros((4, 4, 3), np.uint8)
    voided = np.full((4, 4), 255, dtype=np.uint8)
    with pytest.raises(ValueError, match="no 255"):
        run.add(image, annotation(voided, np.ones((4, 4), np.float32)), TRUTH)
    with pytest.raises(ValueError, match="keep_probability"):
        run.add(image, Annotation(TRUTH, np.zeros(2, np.float32), 1.0, 0.0, TRUTH), TRUTH)

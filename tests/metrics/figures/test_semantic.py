"""Class maps: figures, calibration and worst images by hand."""

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures, SemanticFigures
from dataset_dm.metrics.figures.semantic import class_table
from dataset_dm.metrics.truth import Truth
from tests.metrics.scenes import SIDE

NAMES = ["background", "car", "person"]
CAR, PERSON = 1, 2
LABEL = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)
BLACK = np.zeros((4, 4, 3), np.uint8)
IMAGE = np.zeros((SIDE, SIDE, 3), np.uint8)
FLAT = np.zeros((SIDE, SIDE), np.uint8)


def classes(full: np.ndarray, probability: np.ndarray, void_below: float = 0.0) -> Annotation:
    doubtful = probability < void_below
    label = np.where(doubtful, 255, full).astype(np.uint8)
    return Annotation(confidence=float(probability.mean()), label=label, full=full, probability=probability)


def semantic(*fulls: np.ndarray, void_below: float = 0.0) -> SemanticFigures:
    run = LabelFigures(NAMES)
    for full in fulls:
        run.add(BLACK, classes(full, np.ones((4, 4), np.float32), void_below), Truth(LABEL))
    return run.tasks["semantic"]


def test_every_pixel_and_void_left_out_by_hand() -> None:
    full = LABEL.copy()
    full[3, :2] = 0  # two pixels of the person missed …
    probability = np.full((4, 4), 0.9, dtype=np.float32)
    probability[3, :2] = 0.3  # … with a low confidence
    run = LabelFigures(NAMES)
    run.add(BLACK, classes(full, probability, void_below=0.5), Truth(LABEL))
    of_classes = run.tasks["semantic"]
    assert of_classes.every.iou() == pytest.approx([8 / 10, 1, 2 / 4])
    assert of_classes.every.void == 0
    assert of_classes.voided.iou() == pytest.approx([1, 1, 1])
    # of the foreground: 6 pixels, confidence 0.9, all right
    assert of_classes.reliability.count.sum() == 6
    figures = run.figures("x_")
    assert figures["x_ece"] == pytest.approx(0.1, abs=1e-6)
    assert figures["x_void_share"] == pytest.approx(2 / 16)
    assert figures["x_miou"] == pytest.approx((0.8 + 1 + 0.5) / 3) and figures["x_miou_without_void"] == 1


def test_worst_images_first() -> None:
    fulls = []
    for wrong in (1, 8, 0, 4):  # pixels turned to another class
        full = LABEL.copy().ravel()
        full[:wrong] = (full[:wrong] + 1) % 3
        fulls.append(full.reshape(4, 4))
    assert [row.index for row in semantic(*fulls).worst.rows()] == [1, 3, 0, 2]


def test_table_ends_with_the_summary_rows() -> None:
    table = class_table("t", [("unprompted", semantic(LABEL))])
    assert table.rows[0] == ["background", 1.0, 8]
    assert [row[:2] for row in table.rows[3:7]] == [
        ["mIoU, every pixel", 1.0],
        ["void share", 0.0],
        ["mIoU, void left out", 1.0],
        ["boundary F-score", 1.0],
    ]
    assert table.rows[7][0] == "ECE of foreground"


def test_figures_refuse_what_would_flatter() -> None:
    run = LabelFigures(NAMES)
    voided = np.full((4, 4), 255, dtype=np.uint8)
    with pytest.raises(ValueError, match="no 255"):
        run.add(BLACK, classes(voided, np.ones((4, 4), np.float32)), Truth(LABEL))
    with pytest.raises(ValueError, match="keep_probability"):
        run.add(BLACK, Annotation(confidence=1.0, label=LABEL, full=LABEL), Truth(LABEL))

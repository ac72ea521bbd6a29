"""Instances: figures, calibration and worst images by hand."""

import math

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.truth import Truth
from dataset_dm.visualization.sheet import sheet
from tests.metrics.scenes import SIDE, found, square, true

NAMES = ["background", "car", "person"]
CAR, PERSON = 1, 2
LABEL = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)
BLACK = np.zeros((4, 4, 3), np.uint8)
IMAGE = np.zeros((SIDE, SIDE, 3), np.uint8)
FLAT = np.zeros((SIDE, SIDE), np.uint8)


def test_instances_by_hand() -> None:
    run = LabelFigures(NAMES, ["instance"])
    truth = Truth(FLAT, true((square(5, 5, 10), CAR), ignore=square(30, 30, 10)))
    objects = found((square(5, 5, 10), CAR, 0.8), (square(50, 50, 5), CAR, 0.6), (square(30, 30, 10), CAR, 0.9))
    run.add(IMAGE, Annotation(confidence=1.0, objects=objects), truth)
    run.add(IMAGE, Annotation(confidence=1.0, objects=found()), Truth(FLAT, true((square(5, 5, 10), CAR))))
    figures = run.figures()
    # one of two cars found, before the false find: recall ends at 0.5, which 51 of 101 steps reach
    assert figures["mask_ap"] == pytest.approx(51 / 101) == figures["box_ap"] == figures["mask_ap_large"]
    assert math.isnan(figures["mask_ap_small"])
    # 0.8 right, 0.6 wrong, the one on void not asked: bins of their own
    assert figures["object_ece"] == pytest.approx((0.2 + 0.6) / 2, abs=1e-6)
    rows = run.tasks["instance"].worst.rows()
    assert [row.index for row in rows] == [1, 0] and rows[0].note == "quality 0.00"
    assert rows[1].note == f"quality {1 / 1.3:.2f}"
    assert sheet(rows, NAMES, "t").width > SIDE

"""Depth: figures, calibration and worst images by hand."""

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.truth import Truth
from tests.metrics.scenes import SIDE

NAMES = ["background", "car", "person"]
CAR, PERSON = 1, 2
LABEL = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)
BLACK = np.zeros((4, 4, 3), np.uint8)
IMAGE = np.zeros((SIDE, SIDE, 3), np.uint8)
FLAT = np.zeros((SIDE, SIDE), np.uint8)


def test_depth_by_hand() -> None:
    run = LabelFigures(NAMES, ["depth"])
    truth = Truth(LABEL, depth=np.array([[2.0, 2.0], [2.0, 0.0]], np.float32))
    depth = np.array([[2.2, 3.0], [0.0, 5.0]], np.float32)
    confidence = np.array([[0.9, 0.9], [0.0, 0.9]], np.float32)
    run.add(BLACK[:2, :2], Annotation(confidence=1.0, depth=depth, depth_confidence=confidence), truth)
    figures = run.figures()
    assert figures["depth_rel"] == pytest.approx((0.1 + 0.5 + 1) / 3)
    assert figures["depth_delta1"] == pytest.approx(1 / 3) and figures["depth_coverage"] == pytest.approx(2 / 3)
    # two pixels claim 0.9, one is right; neither the sky nor the missing one claims anything
    assert figures["depth_ece"] == pytest.approx(0.4, abs=1e-6)
    assert run.tasks["depth"].worst.rows()[0].note == "REL 0.53"

"""Keypoints: figures, calibration and worst images by hand."""

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


def test_joints_by_hand() -> None:
    body = square(10, 10, 20)
    points = np.zeros((1, 17, 3), np.float32)
    points[0, :3] = (20, 20, 2)  # nose and eyes; the rest lies outside of the image
    said = points.copy()
    said[0, 2, 0] = 30  # one eye ten pixels off
    said[0, 3] = (5, 5, 1)  # an ear where there is none
    confidence = np.full((1, 17), 0.7, np.float32)
    run = LabelFigures(NAMES, ["pose"])
    objects = found((body, PERSON, 0.9), points=said, confidence=confidence)
    run.add(IMAGE, Annotation(confidence=1.0, objects=objects), Truth(FLAT, true((body, PERSON), points=points)))
    missed = Truth(FLAT, true((body, PERSON), points=points))
    no_person = found(points=np.zeros((0, 17, 3), np.float32), confidence=np.zeros((0, 17), np.float32))
    run.add(IMAGE, Annotation(confidence=1.0, objects=no_person), missed)
    empty = Truth(FLAT, true(points=np.zeros((0, 17, 3), np.float32)))
    run.add(IMAGE, Annotation(confidence=1.0, objects=no_person), empty)
    of_joints = run.tasks["pose"]
    assert of_joints.reliability.count.sum() == 4 and of_joints.reliability.correct.sum() == 2
    assert run.figures()["keypoint_ece"] == pytest.approx(0.2, abs=1e-6)
    # OKS 2/3: right at four of ten thresholds for one of two people
    assert run.figures()["oks_ap"] == pytest.approx(0.4 * 51 / 101)
    rows = of_joints.worst.rows()
    assert [(row.index, row.note) for row in rows] == [(1, "OKS 0.00"), (0, "OKS 0.67")]
    assert sheet(rows, NAMES, "t").width > SIDE


def test_poses_need_a_class_of_people() -> None:
    with pytest.raises(ValueError, match="no class 'person' among background, car"):
        LabelFigures(["background", "car"], ["pose"])

"""Figures of every task by hand: what counts, what is calibrated, which images are the worst."""

import math

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures, SemanticFigures, side_by_side
from dataset_dm.metrics.figures.semantic import class_table
from dataset_dm.metrics.truth import Truth
from dataset_dm.visualization.sheet import sheet
from tests.metrics.scenes import SIDE, found, square, true

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
    table = class_table("t", [("blind", semantic(LABEL))])
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


@pytest.mark.parametrize("task", ["semantic", "instance", "depth", "pose"])
def test_labels_that_were_not_read_are_named(task: str) -> None:
    with pytest.raises(ValueError, match=f"annotate with the tasks? .*{task}"):
        LabelFigures(NAMES, [task]).add(BLACK, Annotation(confidence=1.0), Truth(LABEL))


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


def test_joints_by_hand() -> None:
    body = square(10, 10, 20)
    points = np.zeros((1, 17, 3), np.float32)
    points[0, :3] = (20, 20, 2)  # nose and eyes; the rest lies outside of the image
    said = points.copy()
    said[0, 2, 0] = 30  # one eye ten pixels off
    said[0, 3] = (5, 5, 1)  # an ear where there is none
    confidence = np.full((1, 17), 0.7, np.float32)
    run = LabelFigures(NAMES, ["pose"])
    objects = found((body, PERSON, 0.9), points=said, sure=confidence)
    run.add(IMAGE, Annotation(confidence=1.0, objects=objects), Truth(FLAT, true((body, PERSON), points=points)))
    missed = Truth(FLAT, true((body, PERSON), points=points))
    no_person = found(points=np.zeros((0, 17, 3), np.float32), sure=np.zeros((0, 17), np.float32))
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


def test_all_tasks_of_one_image() -> None:
    run = LabelFigures(NAMES, ["semantic", "depth"])
    depth = np.ones((4, 4), np.float32)
    said = Annotation(confidence=1.0, label=LABEL, full=LABEL, probability=depth, depth=depth, depth_confidence=depth)
    run.add(BLACK, said, Truth(LABEL, depth=depth))
    figures = run.figures()
    assert (figures["miou"], figures["depth_rel"], run.images) == (1, 0, 1)
    table = side_by_side("t", [("blind", figures), ("informed", figures)])
    assert table.columns == ["figure", "blind", "informed"] and table.rows[0] == ["miou", 1.0, 1.0]


def test_poses_need_a_class_of_people() -> None:
    with pytest.raises(ValueError, match="no class 'person' among background, car"):
        LabelFigures(["background", "car"], ["pose"])

"""All tasks of one run: figures, calibration and worst images by hand."""

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures, side_by_side
from dataset_dm.metrics.truth import Truth
from tests.metrics.scenes import SIDE

NAMES = ["background", "car", "person"]
CAR, PERSON = 1, 2
LABEL = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]], dtype=np.uint8)
BLACK = np.zeros((4, 4, 3), np.uint8)
IMAGE = np.zeros((SIDE, SIDE, 3), np.uint8)
FLAT = np.zeros((SIDE, SIDE), np.uint8)


@pytest.mark.parametrize("task", ["semantic", "instance", "depth", "pose"])
def test_labels_that_were_not_read_are_named(task: str) -> None:
    with pytest.raises(ValueError, match=f"annotate with the tasks? .*{task}"):
        LabelFigures(NAMES, [task]).add(BLACK, Annotation(confidence=1.0), Truth(LABEL))


def test_all_tasks_of_one_image() -> None:
    run = LabelFigures(NAMES, ["semantic", "depth"])
    depth = np.ones((4, 4), np.float32)
    said = Annotation(confidence=1.0, label=LABEL, full=LABEL, probability=depth, depth=depth, depth_confidence=depth)
    run.add(BLACK, said, Truth(LABEL, depth=depth))
    figures = run.figures()
    assert (figures["miou"], figures["depth_rel"], run.images) == (1, 0, 1)
    table = side_by_side("t", [("unprompted", figures), ("prompted", figures)])
    assert table.columns == ["figure", "unprompted", "prompted"] and table.rows[0] == ["miou", 1.0, 1.0]

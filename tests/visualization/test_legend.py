"""The facts under a tile, worked out by hand."""

import numpy as np

from dataset_dm.labels.instances import Instances
from dataset_dm.visualization.legend import class_name, classes_of, facts_of

NAMES = ["background", "cat", "dog"]
LABEL = np.array([[0, 2, 2, 2], [0, 1, 255, 2]], np.uint8)


def test_names_of_ids() -> None:
    assert [class_name(number, NAMES) for number in (1, 7, 255)] == ["cat", "class 7", "void"]


def test_shares_of_classes() -> None:
    assert facts_of("semantic", LABEL, NAMES) == [(2, "dog 50%"), (1, "cat 12%"), (255, "void 12%")]
    assert classes_of("semantic", LABEL) == {1, 2, 255}


def test_numbers_of_instances() -> None:
    found = Instances(map=np.array([[1, 2, 3]]), classes=np.array([2, 1, 2]))
    assert facts_of("instance", found, NAMES) == [(2, "dog x2"), (1, "cat x1")]
    assert classes_of("instance", found) == {1, 2}
    assert facts_of("instance", found.select([]), NAMES) == [(None, "no object")]


def test_joints_and_metres() -> None:
    points = np.zeros((1, 17, 3), np.float32)
    points[0, :3, 2] = (2, 2, 1)
    person = Instances(map=np.ones((1, 1), int), classes=np.array([1]), keypoints=points)
    assert facts_of("pose", person, NAMES) == [(None, "1 person, 2 joints seen, 1 hidden")]
    assert facts_of("depth", np.array([[0, 2.5, 4, 4]], np.float32), NAMES) == [(None, "2.5 to 4.0 m, 25% unknown")]
    assert facts_of("depth", np.zeros((1, 2), np.float32), NAMES) == [(None, "depth unknown")]

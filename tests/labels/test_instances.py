"""The instances of one image, by hand."""

import numpy as np
import pytest

from dataset_dm.labels import records
from dataset_dm.labels.instances import IGNORED, Instances

MAP = np.array([[1, 1, 0], [1, 2, IGNORED], [3, 3, IGNORED]])


def three(**more: np.ndarray) -> Instances:
    """Of classes 7, 1 and 9."""
    return Instances(map=MAP, classes=np.array([7, 1, 9]), **more)


def test_masks_areas_and_boxes_follow_from_the_map() -> None:
    found = three()
    assert len(found) == 3 and found.map.dtype == np.int32
    assert found.masks[0].tolist() == [[True, True, False], [True, False, False], [False, False, False]]
    assert found.masks.shape == (3, 3, 3) and found.masks.sum(axis=(1, 2)).tolist() == [3, 1, 2] == found.areas.tolist()
    assert found.bounds().tolist() == [[0, 0, 2, 2], [1, 1, 1, 1], [0, 2, 2, 1]]
    assert found.ignored.tolist() == [[False, False, False], [False, False, True], [False, False, True]]


def test_given_boxes_come_before_those_of_the_masks() -> None:
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert three(boxes=boxes).bounds() is boxes


def test_the_class_map_has_void_where_ignored() -> None:
    assert three().class_map().tolist() == [[7, 7, 0], [7, 1, 255], [9, 9, 255]]


def test_masks_become_a_map_with_the_smaller_one_on_top() -> None:
    masks = np.zeros((3, 2, 3), bool)
    masks[0, 0, 1], masks[1, 0], masks[2, 1, 0] = True, True, True
    scores = np.array([0.5, 0.25, 1], np.float32)
    found = Instances.from_masks(masks, np.array([4, 5, 6]), scores)
    assert found.map.tolist() == [[2, 1, 2], [3, 0, 0]] and found.scores is scores and found.keypoints is None
    none = Instances.from_masks(np.zeros((0, 2, 3), bool), np.zeros(0, np.int64))
    assert len(none) == 0 and none.map.shape == (2, 3) and none.masks.shape == (0, 2, 3)
    assert none.bounds().shape == (0, 4) and none.areas.tolist() == []


def test_select_renumbers_every_array() -> None:
    keypoints = np.arange(3 * 17 * 3, dtype=np.float32).reshape(3, 17, 3)
    found = three(scores=np.array([0.75, 0.5, 0.25]), keypoints=keypoints).select([2, 0])
    assert found.map.tolist() == [[2, 2, 0], [2, 0, IGNORED], [1, 1, IGNORED]]
    assert found.classes.tolist() == [9, 7] and found.scores.tolist() == [0.25, 0.75]
    assert np.array_equal(found.keypoints, keypoints[[2, 0]]) and found.keypoint_scores is None
    assert three().select([1], rest=IGNORED).map.tolist() == [[-1, -1, 0], [-1, 1, -1], [-1, -1, -1]]
    assert len(three().select([])) == 0


def test_eight_bits_hold_254_instances_and_the_ignored_pixels() -> None:
    numbers = three().as_bytes()
    assert numbers.dtype == np.uint8 and numbers.tolist() == [[1, 1, 0], [1, 2, 255], [3, 3, 255]]
    assert np.array_equal(Instances.from_bytes(numbers, np.array([7, 1, 9])).map, MAP)
    many = Instances(map=np.arange(300).reshape(15, 20), classes=np.ones(299, np.int64))
    assert many.map.max() == 299
    with pytest.raises(ValueError, match="got 299, an 8-bit map holds at most 254"):
        many.as_bytes()


def test_a_number_that_no_instance_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"map has number 255, expected -1..2"):
        Instances(map=np.array([[0, 1, 255]], np.uint8), classes=np.array([1, 1]))
    with pytest.raises(ValueError, match=r"map has number -2, expected -1..2"):
        Instances(map=np.array([[0, 1, -2]]), classes=np.array([1, 1]))


def test_the_former_name_builds_one_from_masks() -> None:
    with pytest.warns(DeprecationWarning, match="Instances.from_masks"):
        former = records.Objects
    found = former(np.ones((1, 2, 2), bool), np.array([3]), np.ones(1, np.float32))
    assert isinstance(found, Instances) and found.map.tolist() == [[1, 1], [1, 1]]

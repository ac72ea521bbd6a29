"""What files state about instances, painted into maps, by hand."""

import numpy as np
import pytest

from dataset_dm.labels.file_instance import FileInstance, class_map, largest_first, paint, stack_keypoints
from dataset_dm.labels.instances import IGNORED


def masks(*boxes):
    found = []
    for top, left, height, width in boxes:
        mask = np.zeros((20, 20), bool)
        mask[top : top + height, left : left + width] = True
        found.append(mask)
    return found


def test_an_instance_that_others_cover_is_left_out():
    wall, door, window = masks((0, 0, 4, 4), (0, 0, 4, 2), (0, 2, 4, 2))
    owner, instances = paint(
        [
            FileInstance(mask=wall, category=4),
            FileInstance(mask=door, category=5),
            FileInstance(mask=window, category=6),
        ],
        (20, 20),
        poses=False,
    )
    assert instances.classes.tolist() == [6, 7] and np.unique(instances.map).tolist() == [0, 1, 2]
    assert owner[0].tolist() == [6, 6, 7, 7] + [0] * 16


def test_beyond_254_instances_the_smallest_are_ignored():
    boxes = [(i // 20, i % 20, 1, 1) for i in range(300)]
    owner, instances = paint([FileInstance(mask=mask, category=0) for mask in masks(*boxes)], (20, 20), poses=True)
    assert len(instances) == 254 and instances.map.max() == 254 and instances.ignored.sum() == 46
    assert (owner == 1).sum() == 300 and instances.keypoints.shape == (254, 17, 3)


def test_an_instance_lies_on_a_crowd_and_keeps_its_keypoints() -> None:
    heap, child = masks((0, 0, 2, 4), (0, 0, 1, 1))
    joints = np.zeros((17, 3))
    joints[0], joints[1] = (0.5, 0.5, 2), (9, 9, 0)
    stated = [FileInstance(mask=heap, category=0, crowd=True), FileInstance(mask=child, category=2, keypoints=joints)]
    owner, instances = paint([*stated, FileInstance(mask=child & False, category=1)], (20, 20), poses=True)
    assert owner[0, :5].tolist() == [3, -1, -1, -1, 0] and owner[1, :2].tolist() == [-1, -1]
    assert instances.map[0, :5].tolist() == [1, IGNORED, IGNORED, IGNORED, 0] and instances.classes.tolist() == [3]
    assert instances.keypoints.shape == (1, 17, 3)
    assert instances.keypoints[0, :2].tolist() == [[0.5, 0.5, 2], [0, 0, 0]]


def test_the_class_map_has_the_smaller_one_on_top_and_crowds_void() -> None:
    wall, door, heap = masks((0, 0, 3, 3), (1, 1, 1, 1), (0, 2, 2, 1))
    stated = (
        FileInstance(mask=door, category=6),
        FileInstance(mask=wall, category=1),
        FileInstance(mask=heap, category=1, crowd=True),
        FileInstance(box=(0, 0, 1, 1), category=1),
    )
    assert class_map(stated, (20, 20))[:3, :4].tolist() == [[2, 2, 255, 0], [2, 7, 255, 0], [2, 2, 2, 0]]
    assert [one.category for one in largest_first(stated)] == [1, 1, 6]


def test_bounds_are_the_box_else_those_of_the_mask() -> None:
    (mask,) = masks((1, 2, 3, 4))
    assert FileInstance(category=0, mask=mask).bounds == (2, 1, 4, 3)
    assert FileInstance(category=0, mask=mask, box=(0, 0, 9, 9)).bounds == (0, 0, 9, 9)
    with pytest.raises(ValueError, match="without box and mask"):
        _ = FileInstance(category=0).bounds


def test_posed_needs_a_point_in_the_image() -> None:
    joints = np.zeros((17, 3))
    assert not FileInstance(category=0).posed and not FileInstance(category=0, keypoints=joints).posed
    joints[3, 2] = 1
    assert FileInstance(category=0, keypoints=joints).posed


def test_keypoints_are_stacked_with_zeros_where_there_are_none() -> None:
    joints = np.full((17, 3), 2.0)
    joints[16] = (5, 5, 0)
    stacked = stack_keypoints([None, joints])
    assert stacked.shape == (2, 17, 3) and stacked.dtype == np.float32
    assert not stacked[0].any() and (stacked[1, :16] == 2).all() and not stacked[1, 16].any()
    assert stack_keypoints([]).shape == (0, 17, 3)

"""Windows on labelled images: every kind of label moves alike."""

import numpy as np
import pytest

from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.training.crop import View, full_view


def sample() -> LabelledImage:
    """8 × 8; an instance in rows 2-3, columns 4-7; depth is the column + 1; nose at the centre of pixel (3, 5)."""
    numbers = np.zeros((8, 8), np.uint8)
    numbers[2:4, 4:8] = 1
    points = np.zeros((1, 17, 3), np.float32)
    points[0, 0] = (5.5, 3.5, 2)
    points[0, 1], points[0, 2] = (6.5, 2.5, 2), (4.5, 2.5, 1)  # left and right eye
    depth = np.tile(np.arange(1, 9, dtype=np.float32), (8, 1))
    image = np.repeat((numbers * 200)[..., None], 3, -1)
    return LabelledImage(
        "x", image, numbers * 7, None, Instances(map=numbers, classes=np.array([7]), keypoints=points), depth
    )


def test_the_whole_image_is_itself():
    found = full_view((8, 8), (8, 8)).apply(sample())
    assert np.array_equal(found.label, sample().label) and np.array_equal(found.depth, sample().depth)
    assert np.array_equal(found.instances.keypoints, sample().instances.keypoints)


def test_only_the_complete_image_is_metric():
    assert (
        full_view((8, 8), (8, 8)).apply(sample()).metric
        and View((8, 8), (0, 0, 8, 8), flip=True).apply(sample()).metric
    )
    assert not View((8, 8), (2, 4, 4, 4)).apply(sample()).metric
    assert not View((8, 8), (0, -8, 16, 16)).apply(sample()).metric


def test_a_flip_changes_left_and_right():
    found = View((8, 8), (0, 0, 8, 8), flip=True).apply(sample())
    assert found.instances.map[2].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert found.instances.keypoints[0, 0].tolist() == [2.5, 3.5, 2]
    assert found.instances.keypoints[0, 1].tolist() == [3.5, 2.5, 1], "the left eye of the mirrored face was the right"
    assert found.depth[0].tolist() == [8, 7, 6, 5, 4, 3, 2, 1]


def test_a_crop_enlarges_and_brings_nearer():
    found = View((8, 8), (2, 4, 4, 4)).apply(sample())
    assert found.label[:4].min() == 7 and found.label[4:].max() == 0
    assert found.depth[0].tolist() == [2.5, 2.5, 3, 3, 3.5, 3.5, 4, 4], "twice as large is seen from half the distance"
    assert found.instances.keypoints[0, 0].tolist() == [3, 3, 2]


def test_joints_outside_the_window_are_not_in_the_image():
    found = View((8, 8), (0, 0, 8, 5)).apply(sample())
    assert found.instances.keypoints[0, :3, 2].tolist() == [0, 0, 1]
    assert not found.instances.keypoints[0, 0].any()


def test_beyond_the_image_nothing_is_labelled():
    found = View((8, 8), (0, -8, 16, 16)).apply(sample())  # the image is the upper right quarter
    assert found.image.shape == (8, 8, 3)
    assert (found.label[:4, :4] == 255).all() and (found.instances.map[4:] == IGNORED).all()
    assert np.isnan(found.depth[:, :4]).all() and np.isfinite(found.depth[:4, 4:]).all()
    assert found.depth[0, 7] == pytest.approx(2 * 8) or found.depth[0, 7] == pytest.approx(2 * 7), (
        "seen smaller: farther"
    )
    assert set(np.unique(found.label)) == {0, 7, 255}


def test_the_given_image_is_not_changed():
    before = sample()
    View((4, 4), (0, 0, 8, 8), flip=True).apply(before)
    assert np.array_equal(before.instances.keypoints, sample().instances.keypoints)

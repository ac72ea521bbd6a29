"""Augmentation: image and label change together, ids never mix, the same seed gives the same image."""

from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.labels.instances import Instances
from dataset_dm.readers import LabelledImage
from dataset_dm.training.augment import AugmentConfig, augment, fit, paste, stream

PLAIN = AugmentConfig(flip=False, crop=1, zoom_out=0, colour=0, hue=False)


def sample() -> LabelledImage:
    label = np.zeros((40, 60), np.uint8)
    label[10:30, 10:40], label[5] = 20, 255
    image = np.repeat(label[..., None], 3, axis=-1)
    return LabelledImage("x", image, label)


def test_fault_3_labels_are_resized_by_nearest():
    found = fit(sample(), (64, 64))
    assert found.image.shape == (64, 64, 3) and found.label.shape == (64, 64)
    assert set(np.unique(found.label)) == {0, 20, 255}
    assert len(np.unique(found.image)) > 3, "colours are interpolated, labels are not"


@pytest.mark.parametrize("name", ["flip", "crop", "zoom_out"])
def test_image_and_label_move_together(name):
    config = AugmentConfig(**{**vars(PLAIN), name: {"flip": True, "crop": 0.5, "zoom_out": 1.0}[name]})
    moved = [augment(sample(), (40, 60), config, stream(name, i)) for i in range(8)]
    assert any(not np.array_equal(each.label, sample().label) for each in moved)
    for each in moved:
        inside = each.label == 20
        assert set(np.unique(each.label)) <= {0, 20, 255}
        assert abs(each.image[inside].mean() - 20) < 8  # the image carries its own label as colour


def test_colours_change_and_labels_do_not():
    config = AugmentConfig(flip=False, crop=1, zoom_out=0, colour=0.3)
    found = augment(sample(), (40, 60), config, stream("colour"))
    assert np.array_equal(found.label, sample().label) and not np.array_equal(found.image, sample().image)


def test_pasted_objects_bring_their_label_and_void_does_not_travel():
    config = AugmentConfig(**{**vars(PLAIN), "paste": 1.0})
    donor = replace(sample(), image=np.full((40, 60, 3), 99, np.uint8), label=np.full((40, 60), 255, np.uint8))
    donor.label[:12, :20] = 7
    found = [
        augment(replace(sample(), caption="x"), (40, 60), config, stream(i), lambda _: donor, [5]) for i in range(9)
    ]
    pasted = [each for each in found if (each.label == 7).any()]
    assert pasted and len(pasted) < 9  # a class comes along with chance 0.7
    for each in pasted:
        assert (each.image[:12, :20] == 99).all() and (each.label[:12, :20] == 7).all() and each.caption is None
        assert np.array_equal(each.label[12:], sample().label[12:])


def with_instances(number: int) -> LabelledImage:
    """20 × 20: a person (class 3) of whom two joints are labelled, on the left or, number 2, on the right."""
    numbers = np.zeros((20, 20), np.uint8)
    columns = slice(2, 8) if number == 1 else slice(6, 14)
    numbers[4:16, columns] = 1
    points = np.zeros((1, 17, 3), np.float32)
    points[0, 0], points[0, 5] = (3.5, 5.5, 2), (7.5, 9.5, 2)
    image = np.full((20, 20, 3), 50 * number, np.uint8)
    return LabelledImage(
        "x",
        image,
        numbers * 3,
        None,
        Instances(map=numbers, classes=np.array([3]), keypoints=points),
        np.ones((20, 20)),
    )


def test_a_pasted_instance_gets_a_number_hides_joints_and_takes_away_depth():
    found = next(
        each
        for each in (paste(with_instances(1), with_instances(2), stream(i)) for i in range(9))
        if len(each.instances) == 2
    )
    assert found.instances.classes.tolist() == [3, 3]
    assert (found.instances.map[4:16, 6:14] == 2).all() and (found.instances.map[4:16, 2:6] == 1).all()
    assert found.instances.keypoints[0, [0, 5], 2].tolist() == [2, 1], "the second joint lies under what was pasted"
    assert found.instances.keypoints[1, [0, 5], 2].tolist() == [2, 2]
    assert np.isnan(found.depth[4:16, 6:14]).all() and (found.depth[:, 14:] == 1).all()
    assert (found.label[4:16, 2:14] == 3).all() and (found.image[4:16, 6:14] == 100).all()


def test_nothing_is_pasted_where_no_object_is_known():
    depth_alone = replace(with_instances(1), label=None, instances=None)
    other = replace(with_instances(2), label=None, instances=None)
    assert all(paste(depth_alone, other, stream(i)) is depth_alone for i in range(5))


def test_the_same_stream_gives_the_same_image():
    first, second = (augment(sample(), (32, 32), AugmentConfig(), stream("a", 3)) for _ in range(2))
    other = augment(sample(), (32, 32), AugmentConfig(), stream("a", 4))
    assert np.array_equal(first.image, second.image) and not np.array_equal(first.image, other.image)

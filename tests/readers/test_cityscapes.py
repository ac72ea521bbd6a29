"""Cityscapes: label ids and train ids give the same 19 classes, the rest is void."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.labels.instances import IGNORED
from dataset_dm.readers import SampleError, open_labelled
from dataset_dm.readers.cityscapes import CLASSES
from tests.readers.little_sets import HEIGHT, WIDTH, sample_image

NAME = "ulm_000001_000019"


def ids() -> np.ndarray:
    """labelIds: road, a car (26), a rider (25) on it, the own car (1, not evaluated) below."""
    values = np.full((HEIGHT, WIDTH), 7, np.uint8)
    values[1:4, 1:6], values[1, 2], values[5] = 26, 25, 1
    return values


def instance_ids() -> np.ndarray:
    """Two cars and a rider; the last column of cars is a group."""
    values = ids().astype(np.uint16)
    values[1:4, 1:3], values[1:4, 3:5], values[1, 2] = 26000, 26001, 25000
    return values


def write(root, split="train", train_ids=False):
    images, labels = root / "leftImg8bit" / split / "ulm", root / "gtFine" / split / "ulm"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    sample_image().save(images / f"{NAME}_leftImg8bit.png")
    Image.fromarray(ids()).save(labels / f"{NAME}_gtFine_labelIds.png")
    if train_ids:
        table = np.full(256, 255, np.uint8)
        table[list(CLASSES.values())] = np.arange(19)
        Image.fromarray(table[ids()]).save(labels / f"{NAME}_gtFine_labelTrainIds.png")
    return root


@pytest.mark.parametrize("train_ids", [False, True])
def test_the_19_classes_and_void(tmp_path, train_ids):
    found = open_labelled(write(tmp_path, train_ids=train_ids))
    assert len(found.classes) == 19 and found.kinds == ("semantic",)
    expected = np.ones((HEIGHT, WIDTH), np.uint8)
    expected[1:4, 1:6], expected[1, 2], expected[5] = 14, 13, 255
    assert np.array_equal(found[0].label, expected)
    assert (found.classes[0], found.classes[13], found.classes[12]) == ("road", "car", "rider")


def test_instances_and_groups(tmp_path):
    root = write(tmp_path)
    Image.fromarray(instance_ids()).save(root / "gtFine" / "train" / "ulm" / f"{NAME}_gtFine_instanceIds.png")
    found = open_labelled(root)
    assert found.kinds == ("semantic", "instance")
    instances = found[0].instances
    assert instances.classes.tolist() == [13, 14, 14]
    expected = np.zeros((HEIGHT, WIDTH), np.int32)
    expected[1:4, 1:3], expected[1:4, 3:5], expected[1:4, 5], expected[1, 2] = 2, 3, IGNORED, 1
    assert np.array_equal(instances.map, expected)


def test_other_classes_are_background(tmp_path):
    found = open_labelled(write(tmp_path), classes=["car"])
    assert np.unique(found[0].label).tolist() == [0, 1, 255]
    with pytest.raises(DataError, match="class: got 'cars'.*did you mean 'car'"):
        open_labelled(tmp_path, classes=["cars"])


def test_faults_are_named(tmp_path):
    root = write(tmp_path)
    with pytest.raises(DataError, match="no split 'val' in leftImg8bit; there are: train"):
        open_labelled(root, split="val")
    file = root / "gtFine" / "train" / "ulm" / f"{NAME}_gtFine_labelIds.png"
    Image.fromarray(np.full((HEIGHT, WIDTH), 77, np.uint8)).save(file)
    with pytest.raises(SampleError, match=f"image '{NAME}': mask has id 77, labelIds has 0..33 and 255"):
        open_labelled(root)[0]
    Image.fromarray(ids()[:4]).save(file)
    with pytest.raises(SampleError, match="mask is 8×4, its image 8×6"):
        open_labelled(root)[0]
    file.unlink()
    with pytest.raises(SampleError, match=f"image '{NAME}' has no mask: .*labelIds.png is missing"):
        open_labelled(root)

"""SegmentationObject of a VOC folder: instances beside the class mask."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.readers import SampleError, open_labelled


@pytest.fixture
def objects(voc):
    """The forklift is instance 1, the pallet's halves are instances 3 and 4, with a void border between."""
    folder = voc / "SegmentationObject"
    folder.mkdir()
    for index in range(4):
        numbers = np.zeros((40, 60), np.uint8)
        numbers[8:30, 5 : 20 + index], numbers[20:30, 35:45], numbers[20:30, 45:55] = 1, 3, 4
        numbers[20:30, 44] = 255
        mask = Image.fromarray(numbers)
        mask.putpalette(list(range(256)) * 3)
        mask.save(folder / f"{index:03d}.png")
    return voc


def test_numbers_close_up_and_borders_are_ignored(objects):
    found = open_labelled(objects)
    assert found.kinds == ("semantic", "instance")
    instances = found[0].instances
    assert instances.classes.tolist() == [1, 2, 2]
    assert instances.areas.tolist() == [22 * 15, 90, 100] and instances.ignored.sum() == 10


def test_a_missing_object_mask_is_named_once_there_are_some(objects):
    (objects / "SegmentationObject" / "002.png").unlink()
    with pytest.raises(SampleError, match="image '002' has no object mask"):
        open_labelled(objects)
    assert len(open_labelled(objects, on_error="skip")) == 3


def test_an_instance_on_background_is_named(objects):
    numbers = np.zeros((40, 60), np.uint8)
    numbers[:3] = 9
    Image.fromarray(numbers).save(objects / "SegmentationObject" / "001.png")
    with pytest.raises(SampleError, match="image '001': object 9 of the object mask lies on no class"):
        open_labelled(objects)[1]

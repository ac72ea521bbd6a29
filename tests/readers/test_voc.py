"""Readers of labelled images: ids, void, and one clear line for each fault."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.readers import SampleError, open_labelled


def test_fault_1_class_ids_and_void_survive_reading(voc):
    found = open_labelled(voc)
    assert found.classes == ("forklift", "pallet") and len(found) == 4
    sample = found[1]
    assert sample.image.shape == (40, 60, 3) and sample.image.dtype == sample.label.dtype == np.uint8
    assert np.unique(sample.label).tolist() == [0, 1, 2, 255]
    assert (sample.label == 1).sum() == 22 * 16 and (sample.label == 255).sum() == 40
    assert sample.image[sample.label == 1][0].tolist() == [200, 60, 20], "RGB, not BGR"


def test_image_sets_choose_the_split(voc):
    lists = voc / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("002\n000\n")
    (lists / "val.txt").write_text("003\n")
    assert open_labelled(voc).names == ["002", "000"]
    assert open_labelled(voc, split="val").names == ["003"]
    with pytest.raises(DataError, match="no split 'vall'.*train, val"):
        open_labelled(voc, split="vall")


def test_a_split_without_a_list_is_not_all_images(voc):
    with pytest.raises(DataError, match="no split 'val'.*there are: none"):
        open_labelled(voc, split="val")


def test_two_splits_are_two_sources(voc):
    lists = voc / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for name in ("train", "val"):
        (lists / f"{name}.txt").write_text("000\n")
    assert open_labelled(voc).source != open_labelled(voc, split="val").source, "features of one are not the other's"


def test_without_a_list_the_classes_are_those_of_voc(voc):
    (voc / "class_names.txt").unlink()
    assert open_labelled(voc).classes == tuple(VOC_CLASSES)


def test_an_image_without_its_mask_is_named(voc):
    (voc / "SegmentationClass" / "002.png").unlink()
    with pytest.raises(DataError, match="image '002' has no mask"):
        open_labelled(voc)


def test_an_id_outside_the_list_is_named(voc):
    (voc / "class_names.txt").write_text("background\nforklift\n")
    with pytest.raises(DataError, match="image '000': mask has class 2, the task has 0..1 and 255"):
        open_labelled(voc)[0]


def test_a_mask_of_another_size_is_named(voc):
    file = voc / "SegmentationClass" / "001.png"
    Image.open(BytesIO(file.read_bytes())).resize((30, 20)).save(file)
    with pytest.raises(DataError, match="image '001': mask is 30×20, its image 60×40"):
        open_labelled(voc)[1]


@pytest.mark.parametrize("folder", ["JPEGImages", "SegmentationClass"])
def test_a_truncated_file_is_named(voc, folder):
    file = voc / folder / "003.png"
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(DataError, match="image '003': (image|mask) cannot be read") as caught:
        open_labelled(voc)[3]
    assert "\n" not in str(caught.value)


def test_a_coloured_mask_is_refused(voc):
    file = voc / "SegmentationClass" / "001.png"
    Image.open(BytesIO(file.read_bytes())).convert("RGB").save(file)
    with pytest.raises(DataError, match="mode RGB, expected a palette or grey"):
        open_labelled(voc)[1]


def test_grey_and_rotated_photographs_are_read_upright(voc):
    file = voc / "JPEGImages" / "000.png"
    grey = Image.open(BytesIO(file.read_bytes())).convert("L").transpose(Image.Transpose.ROTATE_90)
    exif = grey.getexif()
    exif[0x0112] = 6  # "turn right by 90° to see it upright"
    grey.save(voc / "JPEGImages" / "000.jpg", exif=exif)
    file.unlink()
    assert open_labelled(voc)[0].image.shape == (40, 60, 3)


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

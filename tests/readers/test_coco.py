"""COCO and LVIS files: what is read by hand-worked values, and one clear line for each fault."""

import json

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.labels.instances import IGNORED
from dataset_dm.readers import SampleError, open_labelled
from tests.readers.little_sets import (
    HEIGHT,
    STANDING,
    WIDTH,
    changed,
    coco_content,
    instance,
    rectangle,
    sample_image,
    write_coco,
    write_keypoints,
)


def test_class_ids_are_contiguous_and_instances_are_told_apart(coco):
    found = open_labelled(coco)
    assert found.classes == ("person", "dog") and found.kinds == ("semantic", "instance") and len(found) == 3
    sample = found[0]
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[:, :5] = 2  # the dog
    expected[1:5, 2:4] = 1  # the smaller person before it keeps its pixels
    expected[:, 6:] = 255  # the crowd is ignored
    assert np.array_equal(sample.label, expected)
    # instances in the order of the file: the dog first
    assert sample.instances.classes.tolist() == [2, 1]
    assert np.array_equal(
        sample.instances.map, np.where(expected == 255, IGNORED, np.choose(expected % 255, [0, 2, 1]))
    )
    assert sample.instances.map.dtype == np.int32 and sample.instances.keypoints is None
    assert sample.image[0, 0].tolist() == [10, 10, 10]


def test_a_crowd_is_no_instance_and_never_background(coco):
    sample = open_labelled(coco)[0]
    assert len(sample.instances) == 2
    assert (sample.label[:, 6:] == 255).all() and (sample.instances.map[:, 6:] == IGNORED).all()


def test_an_object_keeps_its_pixels_before_a_crowd(tmp_path):
    sample = changed(tmp_path, bbox=[6, 0, 1, 2], segmentation=[rectangle(6, 0, 1, 2)])[0]
    assert (sample.label[:2, 6] == 1).all() and (sample.label[2:, 6] == 255).all()


def test_an_empty_image_is_background(coco):
    sample = open_labelled(coco)[2]
    assert not sample.label.any() and not sample.instances.map.any() and len(sample.instances) == 0


def test_other_classes_are_background(coco):
    found = open_labelled(coco, classes=["dog"])
    assert found.classes == ("dog",)
    assert np.unique(found[0].label).tolist() == [0, 1]
    assert (found[0].label[:, 6:] == 0).all(), "a crowd of another class neither"
    assert open_labelled(coco, classes=["dog", "person"])[0].instances.classes.tolist() == [1, 2]
    with pytest.raises(DataError, match="class: got 'dgo', expected a category of the file.*did you mean 'dog'"):
        open_labelled(coco, classes=["dgo"])


def test_keypoints_are_merged_by_annotation_at_pixel_centres(coco):
    write_keypoints(coco, [*STANDING[:45], 3, 3, 1, 0, 0, 0])
    found = open_labelled(coco)
    assert found.kinds == ("semantic", "instance", "pose")
    points = found[0].instances.keypoints
    assert points.shape == (2, 17, 3) and points.dtype == np.float32
    assert not points[0].any(), "a dog has none"
    assert points[1, 1].tolist() == [1.5, 1.5, 2], "pixel 1 has its centre at 1.5"
    assert points[1, 15].tolist() == [3.5, 3.5, 1] and points[1, 16].tolist() == [0, 0, 0]
    assert found[2].instances.keypoints.shape == (0, 17, 3)


def test_the_first_caption_is_taken(coco):
    rows = [{"id": 1, "image_id": 10, "caption": "A dog \n sits."}, {"id": 2, "image_id": 10, "caption": "Another"}]
    (coco / "annotations" / "captions_train2017.json").write_text(json.dumps({"annotations": rows}))
    found = open_labelled(coco)
    assert (found[0].caption, found[1].caption) == ("A dog sits.", None)


def lvis(root, verified):
    """The set as LVIS has it: no crowds, images by address, `verified` the fields of each image."""
    content = coco_content()
    content["annotations"] = [
        {key: value for key, value in row.items() if key != "iscrowd"} for row in content["annotations"][:2]
    ]
    for row in content["images"]:
        row["coco_url"] = f"http://images.cocodataset.org/train2017/{row['file_name']}"
    write_coco(root, content)
    for row in content["images"]:
        del row["file_name"]
        row.update(verified)
    (root / "annotations" / "instances_train2017.json").unlink()
    (root / "annotations" / "lvis_v1_train.json").write_text(json.dumps(content))
    return root


def test_lvis_images_are_found_by_their_address(tmp_path):
    found = open_labelled(lvis(tmp_path, {"neg_category_ids": [], "not_exhaustive_category_ids": []}))
    assert found[0].instances.classes.tolist() == [2, 1] and found[0].image[0, 0].tolist() == [10, 10, 10]


def test_lvis_background_is_void_unless_every_class_is_verified(tmp_path):
    # both classes are marked in the first image; in the second nothing is known of either
    found = open_labelled(lvis(tmp_path / "a", {"neg_category_ids": [], "not_exhaustive_category_ids": []}))
    assert np.unique(found[0].label).tolist() == [0, 1, 2]
    assert (found[1].label == 255).all()
    assert not found[1].instances.map.any()
    absent = open_labelled(lvis(tmp_path / "b", {"neg_category_ids": [1, 18], "not_exhaustive_category_ids": []}))
    assert not absent[1].label.any()
    partly = open_labelled(lvis(tmp_path / "c", {"neg_category_ids": [], "not_exhaustive_category_ids": [18]}))
    assert np.unique(partly[0].label).tolist() == [1, 2, 255]


def test_more_classes_than_an_8_bit_map_holds_leave_instances(tmp_path):
    content = coco_content()
    content["categories"] = [{"id": i, "name": f"class {i}"} for i in range(1, 301)]
    found = open_labelled(write_coco(tmp_path, content))
    assert found.kinds == ("instance",) and found[0].label is None
    assert found[0].instances.classes.tolist() == [18, 1]


def test_a_turned_photograph_fits_labels_drawn_upright_or_as_stored(coco):
    file = coco / "train2017" / "0.jpg"
    pixels = np.zeros((WIDTH, HEIGHT, 3), np.uint8)
    pixels[0] = 255  # its top row is the right column once it is turned
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(file, exif=exif, quality=95)
    image = open_labelled(coco)[0].image
    assert image.shape == (HEIGHT, WIDTH, 3) and image[:, -1].min() > 200 and image[:, 0].max() < 60
    content = coco_content()
    content["annotations"] = [instance(1, 10, 18, [0, 0, 6, 1])]
    content["images"][0].update(width=HEIGHT, height=WIDTH)
    (coco / "annotations" / "instances_train2017.json").write_text(json.dumps(content))
    sample = open_labelled(coco)[0]
    assert sample.image.shape == (WIDTH, HEIGHT, 3) and sample.image[sample.label == 2].min() > 200


def test_a_missing_image_is_named(coco):
    (coco / "train2017" / "1.jpg").unlink()
    with pytest.raises(SampleError, match=r"sample '1.jpg' has no image: .*train2017/1.jpg is missing"):
        open_labelled(coco)


def test_an_image_of_another_size_is_named(coco):
    sample_image().resize((4, 3)).save(coco / "train2017" / "1.jpg")
    with pytest.raises(SampleError, match="image '1.jpg': annotation is 8×6, its image 4×3"):
        open_labelled(coco)[1]

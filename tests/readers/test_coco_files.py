"""Which files belong to a split of a COCO-like set."""

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.readers import open_labelled
from tests.readers.little_sets import (
    coco_content,
    write_coco,
)


def test_a_json_file_is_a_set_too(coco, tmp_path):
    file = coco / "annotations" / "instances_train2017.json"
    assert np.array_equal(open_labelled(file)[0].label, open_labelled(coco)[0].label)
    beside = tmp_path / "flat"
    beside.mkdir()
    for image in (coco / "train2017").iterdir():
        (beside / image.name).write_bytes(image.read_bytes())
    (beside / "mine.json").write_bytes(file.read_bytes())
    assert len(open_labelled(beside / "mine.json")) == 3


def test_the_split_is_chosen_by_name_and_year(coco):
    content = coco_content()
    content["images"] = content["images"][:2]
    write_coco(coco, content, "val2017")
    assert len(open_labelled(coco)) == len(open_labelled(coco, split="train")) == 3
    assert len(open_labelled(coco, split="val")) == len(open_labelled(coco, split="val2017")) == 2
    with pytest.raises(DataError, match="no annotation of split 'test'; there are: train2017, val2017"):
        open_labelled(coco, split="test")


def test_a_split_without_labels_is_named(coco):
    (coco / "annotations" / "image_info_test2017.json").write_text("{}")
    with pytest.raises(
        DataError, match="no annotation of split 'test2017', only image_info; expected annotations/inst"
    ):
        open_labelled(coco, split="test")
    with pytest.raises(DataError, match="not one annotation of split 'train2017'"):
        open_labelled(write_coco(coco, {**coco_content(), "annotations": []}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"images": [', "cannot be read as JSON .*; it is truncated or damaged"),
        ("[1, 2]", "has no list 'images'"),
        ('{"images": [], "annotations": {}, "categories": []}', "has no list 'annotations'"),
        ('{"images": [], "annotations": [], "categories": [{"id": 1}]}', "category without id or name"),
        ('{"images": [], "annotations": [], "categories": []}', "0 categories"),
        ('{"images": [{"id": []}], "annotations": [], "categories": []}', r"images: id: got \[\], expected a number"),
    ],
)
def test_a_damaged_file_is_one_line(coco, text, said):
    (coco / "annotations" / "instances_train2017.json").write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        open_labelled(coco, on_error="skip")
    assert "\n" not in str(caught.value) and "instances_train2017.json" in str(caught.value)

"""COCO's JSON as pycocotools and this package read it."""

import contextlib
import io
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO

from dataset_dm.exports.coco import category_ids
from dataset_dm.labels import rle
from dataset_dm.readers.coco import CocoSet
from tests.exports.sets import CLASSES, full


def test_pycocotools_loads_the_coco_file(exports: dict[str, Path]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(str(exports["coco"] / "annotations" / "instances_train.json"))
    assert index.getImgIds() == [16, 18, 19] and index.getAnnIds(imgIds=[18]) == []
    assert [one["name"] for one in index.loadCats(index.getCatIds())] == list(CLASSES)
    assert index.getCatIds() == [17, 18, 1]
    first = index.loadAnns(index.getAnnIds(imgIds=[16]))
    for one, mask in zip(first, full().objects.masks, strict=True):
        np.testing.assert_array_equal(rle.decode(one["segmentation"]), mask)
        assert one["area"] == mask.sum()
    assert first[1]["num_keypoints"] == 11 and first[1]["keypoints"][27:30][2] == 1
    # 14.5, 6.125: a pixel index lies half a pixel before its centre
    assert first[1]["keypoints"][:3] == [14.0, 5.625, 2.0] and first[1]["keypoints"][-3:] == [0, 0, 0]


def test_coco_ids_are_coco_s_own_when_all_classes_are() -> None:
    assert category_ids(("cat", "dog", "person")) == [17, 18, 1]
    assert category_ids(("cat", "dog", "tvmonitor")) == [1, 2, 3]


def test_this_package_trains_on_the_coco_file(exports: dict[str, Path]) -> None:
    read = CocoSet(exports["coco"], split="train", classes=CLASSES)
    assert len(read) == 3 and set(read.kinds) == {"semantic", "instance", "pose"}
    first, true = read[0], full()
    for number, mask in enumerate(true.objects.masks, start=1):
        np.testing.assert_array_equal(first.instances.map == number, mask)
    np.testing.assert_allclose(first.instances.keypoints[1], true.objects.keypoints[1], atol=1e-5)

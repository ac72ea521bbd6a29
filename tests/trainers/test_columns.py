"""What the example scripts of transformers ask of the columns, and what their image processors and trainers rely on."""

from __future__ import annotations

import numpy as np
from datasets import DatasetDict

from dataset_dm.labels.coco import COCO_CLASSES
from dataset_dm.labels.records import features
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.plan.configs import CATALOGUE
from tests.trainers import detection, instance, semantic


def test_semantic_segmentation(generated: DatasetDict) -> None:
    """`image` and `label`; ids of the label are places in the list of names, or 255, which the loss leaves out."""
    default = features(CATALOGUE["voc_synth"]["semantic"].features(VOC_CLASSES))
    assert {"pixel_values", "annotation"}.isdisjoint(default)  # the script would rename them
    names = semantic.class_names(generated["train"])
    assert list(names) == ["background", *COCO_CLASSES]
    for row in generated["train"]:
        assert (row["image"].mode, row["label"].mode) == ("RGB", "L") and row["image"].size == row["label"].size
        assert set(np.unique(np.asarray(row["label"])).tolist()) <= {*range(len(names)), 255}


def test_instance_segmentation(generated: DatasetDict) -> None:
    """An RGB `annotation`: red a class of `semantic_class_to_id`, green an object; a `validation` split."""
    assert {"train", "validation"} <= set(generated)
    ids = generated["train"][0]["semantic_class_to_id"]
    assert sorted(ids.values()) == list(range(len(ids))) and ids["background"] == 0
    assert list(instance.class_names(generated["train"])) == list(COCO_CLASSES)
    objects = 0
    for row in generated["train"]:
        assert (row["image"].mode, row["annotation"].mode) == ("RGB", "RGB")
        assert row["image"].size == row["annotation"].size and row["semantic_class_to_id"] == ids
        pairs = np.unique(np.asarray(row["annotation"])[..., :2].reshape(-1, 2), axis=0).tolist()
        things = {thing for _, thing in pairs}
        assert len(pairs) == len(things)  # no object of two classes
        assert [kind for kind, thing in pairs if thing == 0] == [0]  # what is no object has no class
        assert {kind for kind, _ in pairs} <= set(ids.values())
        objects += len(things) - 1
    assert objects


def test_object_detection(generated: DatasetDict) -> None:
    """`objects` as lists, boxes (x, y, w, h) inside the picture and of some size, classes from 0; a `test` split."""
    assert set(generated) == {"train", "validation", "test"}
    assert list(detection.class_names(generated["train"])) == list(COCO_CLASSES)
    assert len(set(generated["train"]["image_id"][:])) == 4
    boxes = 0
    for row in (row for part in generated.values() for row in part):
        objects = row["objects"]
        assert {"id", "area", "bbox", "category"} <= set(objects)
        assert len({len(values) for values in objects.values()}) == 1
        assert row["image"].size == (row["width"], row["height"])
        for (x, y, width, height), area in zip(objects["bbox"], objects["area"], strict=True):
            assert x >= 0 and y >= 0 and x + width <= row["width"] and y + height <= row["height"]
            assert width > 0 and height > 0 and 0 < area <= width * height
        assert all(0 <= category < len(COCO_CLASSES) for category in objects["category"])
        boxes += len(objects["bbox"])
    assert boxes


def test_boxes_reach_the_model_where_they_were(generated: DatasetDict) -> None:
    """Centre and size as shares of the picture, after the processor resized it."""
    rows = generated["train"]
    made = detection.inputs(rows[:4])
    for row, labels in zip(rows, made["labels"], strict=True):
        x, y, width, height = np.array(row["objects"]["bbox"]).reshape(-1, 4).T
        expected = np.stack([x + width / 2, y + height / 2, width, height], axis=1) / 128
        np.testing.assert_allclose(np.asarray(labels["boxes"]), expected, atol=1e-5)
        assert np.asarray(labels["class_labels"]).tolist() == row["objects"]["category"]


def test_depth_estimation(generated: DatasetDict) -> None:
    """`image` and a `depth_map` of floats, a PIL image like the other."""
    for row in generated["train"]:
        assert (row["image"].mode, row["depth_map"].mode) == ("RGB", "F")
        assert row["image"].size == row["depth_map"].size
        metres = np.asarray(row["depth_map"])
        assert metres.dtype == np.float32 and np.isfinite(metres).all() and (metres >= 0).all() and metres.any()


def test_keypoints(generated: DatasetDict) -> None:
    """17 times (x, y, v) a person, in pixels; v counts what is in the picture, and what is not is zero."""
    for row in generated["train"]:
        for joints, count in zip(row["objects"]["keypoints"], row["objects"]["num_keypoints"], strict=True):
            places = np.array(joints)
            v = places[:, 2]
            assert places.shape == (17, 3) and set(v.tolist()) <= {0, 1, 2} and (v > 0).sum() == count
            assert np.isfinite(places).all() and not places[v == 0].any()

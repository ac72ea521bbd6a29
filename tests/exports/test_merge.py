"""Corrections of objects, and the class maps that follow from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_png
from tests.exports.reviews import Review, changed, consistent, lines_of, of_json
from tests.exports.sets import HEIGHT, LAST, WIDTH, full, rows_of


def test_another_class_keeps_the_outline_and_changes_the_class_map(review: Review, hand_set: Path) -> None:
    def edit(content: Any) -> None:
        content["annotations"][0]["category_id"] = 17  # the dog is a cat

    done, rows = review("coco", of_json("annotations/instances_train.json", edit))
    assert changed(done) == {"images changed": 1, "objects changed": 1, "class maps changed": 1}
    before, row = rows_of(hand_set)["train"][0], rows[0]
    consistent(row)
    assert row["objects"]["category"] == [0, 2, 0] and row["objects"]["score"][0] == 1
    for field in ("id", "bbox", "area", "segmentation", "keypoints"):
        assert row["objects"][field] == before["objects"][field]
    label, true = decode_png(row["label"]["bytes"]), full().label
    np.testing.assert_array_equal(label, np.where(true == 2, 1, true))  # void on the dog stays void
    assert row["classes"] == [1, 3]
    assert row["quality"]["object_confidence"] == pytest.approx((1 + 0.5 + 0.3) / 3, abs=1e-6)
    assert row["quality"]["confidence"] == 0.75 and row["image"] == before["image"]
    assert [one["provenance"]["annotator"] for one in rows] == ["reviewed:coco:tester"] * 3


def test_masks_are_changed_added_and_removed(review: Review) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[8:13, 10] = True  # the cat is longer
    new = np.zeros((HEIGHT, WIDTH), bool)
    new[15:18, 21:23] = True

    def edit(content: Any) -> None:
        _, person, cat = content["annotations"][:3]
        cat["segmentation"] = rle.encode(mask)
        added = {"id": 999, "image_id": 16, "category_id": 18, "bbox": [21, 15, 2, 3], "segmentation": rle.encode(new)}
        content["annotations"] = [person, cat, added, *content["annotations"][3:]]

    done, rows = review("coco", of_json("annotations/instances_train.json", edit))
    assert changed(done) == {
        "images changed": 1, "objects changed": 1, "objects added": 1, "objects removed": 1, "class maps changed": 1,
    }  # fmt: skip
    row = rows[0]
    consistent(row)
    assert row["objects"]["category"] == [0, 1, 2] and row["objects"]["bbox"][0] == [10, 8, 1, 5]
    label, true = decode_png(row["label"]["bytes"]), full().label
    expected = np.where(true == 2, 0, true)
    expected[8:13, 10], expected[15:18, 21:23] = 1, 2
    np.testing.assert_array_equal(label, expected)


def test_a_tool_that_drops_what_it_does_not_know_changes_nothing(review: Review, hand_set: Path) -> None:
    def edit(content: Any) -> None:
        for one in content["annotations"]:
            for key in ("score", "keypoint_scores", "iscrowd", "keypoints", "num_keypoints"):
                one.pop(key, None)
        content["images"] = [{key: one[key] for key in ("id", "file_name")} for one in content["images"]]
        content["images"][0]["file_name"] = "some/folder/" + content["images"][0]["file_name"]

    done, rows = review("coco", of_json("annotations/instances_train.json", edit))
    assert not changed(done) and rows[0]["objects"] == rows_of(hand_set)["train"][0]["objects"]


def test_a_smaller_box_cuts_the_mask(review: Review) -> None:
    # the left person: columns 0..4, rows 2..17; now rows 10..17 alone
    box = [2.5 / WIDTH, 14 / HEIGHT, 5 / WIDTH, 8 / HEIGHT]
    done, rows = review("yolo", lines_of(LAST, lambda lines: [" ".join(map(str, [2, *box])), lines[1]]))
    assert changed(done) == {"images changed": 1, "objects changed": 1, "class maps changed": 1}
    row = rows[2]
    consistent(row)
    assert row["objects"]["bbox"][0] == pytest.approx([0, 10, 5, 8]) and row["objects"]["area"] == [40, 96]
    label = decode_png(row["label"]["bytes"])
    assert not label[2:10, :5].any() and (label[10:18, :5] == 3).all() and (label[0] == 255).all()

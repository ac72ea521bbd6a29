"""Reviewed rows: fields of new objects, empty rows, the name of the review."""

import json
from pathlib import Path

import pytest

from dataset_dm.exports import import_set
from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_png
from tests.exports.reviews import Review, changed, lines_of
from tests.exports.sets import EMPTY, LAST, rows_of


def test_a_new_box_has_no_mask_and_says_so(review: Review) -> None:
    done, rows = review("yolo", lines_of(EMPTY, lambda lines: ["0 0.5 0.5 0.25 0.2"]))
    assert changed(done) == {"images changed": 1, "objects added": 1, "objects without a mask": 1}
    objects = rows[1]["objects"]
    assert objects["bbox"] == [pytest.approx([9, 8, 6, 4])] and objects["area"] == [0] and objects["score"] == [1]
    assert not rle.decode(objects["segmentation"][0]).any() and objects["id"] == [18 * 256 + 1]
    assert rows[1]["quality"]["object_confidence"] == 1 and rows[1]["classes"] == []


def test_every_box_removed_leaves_an_empty_row(review: Review) -> None:
    done, rows = review("yolo", lines_of(LAST, lambda lines: []))
    assert changed(done) == {"images changed": 1, "objects removed": 2, "class maps changed": 1}
    row = rows[2]
    assert row["objects"]["id"] == [] and not decode_png(row["annotation"]["bytes"]).any() and row["classes"] == []
    assert row["quality"]["object_confidence"] is None and row["quality"]["keypoint_confidence"] is None


def test_a_second_review_keeps_the_first_one_s_name(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    import_set(exports["coco"], "coco", str(hand_set), tmp_path / "v2")
    import_set(exports["voc"], "voc", str(tmp_path / "v2"), tmp_path / "v3")
    assert rows_of(tmp_path / "v3")["train"][0]["provenance"]["annotator"] == "reviewed:voc:reviewed:coco:tester"
    marker = json.loads((tmp_path / "v3" / ".dataset_dm.json").read_text())
    assert marker == {"dataset": "hand", "config": "all", "labels": "0", "reviewed": "voc coco"}
    assert (tmp_path / "v3" / "README.md").is_file() and (tmp_path / "v3" / "preview.png").is_file()

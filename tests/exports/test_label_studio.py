"""Label Studio's tasks and configuration."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from dataset_dm.exports import export_set
from dataset_dm.labels.images import decode_png
from tests.exports.reviews import Review, changed, of_json
from tests.exports.sets import FIRST, HEIGHT, WIDTH, full, rows_of


def test_label_studio_tasks_name_their_image_and_controls(hand_set: Path, tmp_path: Path) -> None:
    export_set(str(hand_set), "label-studio", tmp_path / "out")
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    controls = ElementTree.parse(tmp_path / "out" / "config.xml").getroot()
    names = {one.get("name"): {inner.get("value") for inner in one} for one in controls}
    assert len(tasks) == 4 and all("annotations" not in task for task in tasks)
    # the tool's own export of keypoints wants their order
    joints = {one.get("value"): one.get("model_index") for one in controls.find("KeyPointLabels")}
    assert joints["nose"] == "0" and list(joints.values()) == [str(number) for number in range(17)]
    for task in tasks:
        assert (tmp_path / "out" / task["data"]["image"].split("?d=")[1]).is_file()
        for one in task["predictions"][0]["result"]:
            assert set(one["value"][one["type"]]) <= names[one["from_name"]]
            assert (one["original_width"], one["original_height"]) == (WIDTH, HEIGHT)


def test_only_submitted_tasks_are_reviewed(review: Review, hand_set: Path) -> None:
    def edit(tasks: Any) -> None:
        del tasks[1]["annotations"], tasks[2]
        first = tasks[0]
        first["data"]["image"] = f"/data/upload/3/0a1b2c3d-{FIRST}.png"
        older = {"result": [], "updated_at": "2026-01-01"}
        cancelled = {"result": [], "was_cancelled": True, "updated_at": "2027-01-01"}
        newest = {**first["annotations"][0], "updated_at": "2026-02-01"}
        newest["result"] = [one for one in newest["result"] if one["id"] != "void"]
        first["annotations"] = [older, newest, cancelled]

    done, rows = review("label-studio", of_json("tasks.json", edit))
    assert done.reviewed == 2 and changed(done) == {"images changed": 1, "class maps changed": 1}
    assert [row["provenance"]["annotator"] for row in rows] == ["reviewed:label-studio:tester", "tester", "tester"]
    np.testing.assert_array_equal(decode_png(rows[0]["label"]["bytes"]), full().full)  # as before it was voided
    assert rows[0]["quality"]["uncertain"] == 0 and rows[1:] == rows_of(hand_set)["train"][1:]

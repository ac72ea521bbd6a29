"""Corrections of every kind, made in the files, and the rows that they become."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from dataset_dm.exports import Imported, import_set
from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_png
from dataset_dm.visualization.overlay import colour_label
from tests.exports.sets import EMPTY, FIRST, HEIGHT, LAST, WIDTH, full, rows_of, two_people

Review = Callable[..., tuple[Imported, list[dict[str, Any]]]]


@pytest.fixture
def review(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> Review:
    """Copies an export, lets a person correct it, brings it back: what changed, and the rows of train."""

    def run(name: str, correct: Callable[[Path], Any]) -> tuple[Imported, list[dict[str, Any]]]:
        shutil.copytree(exports[name], tmp_path / "files")
        correct(tmp_path / "files")
        done = import_set(tmp_path / "files", name, str(hand_set), tmp_path / "new")
        return done, rows_of(tmp_path / "new")["train"]

    return run


def changed(done: Imported) -> dict[str, int]:
    return {name: number for name, number in done.counts.items() if number}


def of_json(file: str, edit: Callable[[Any], None]) -> Callable[[Path], None]:
    def correct(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        edit(content)
        (folder / file).write_text(json.dumps(content))

    return correct


def lines_of(name: str, edit: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def correct(folder: Path) -> None:
        file = folder / "labels" / "train" / f"{name}.txt"
        file.write_text("\n".join(edit(file.read_text().splitlines())))

    return correct


def painted(folder: Path, file: str, edit: Callable[[np.ndarray], None]) -> None:
    pixels = np.array(Image.open(folder / file))
    edit(pixels)
    (colour_label(pixels) if "Segmentation" in file else Image.fromarray(pixels)).save(folder / file)


def consistent(row: dict[str, Any]) -> None:
    """Boxes, areas and the coloured image follow the masks; objects are sorted by score."""
    objects, image = row["objects"], decode_png(row["annotation"]["bytes"])
    assert objects["score"] == sorted(objects["score"], reverse=True)
    assert len(set(objects["id"])) == len(objects["id"])
    for i, form in enumerate(objects["segmentation"]):
        mask = rle.decode(form)
        assert objects["area"][i] == mask.sum()
        np.testing.assert_array_equal(image[..., 1] == i + 1, mask)
        assert set(image[mask][:, 0].tolist()) <= {objects["category"][i] + 1}


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


def test_a_polygon_drawn_by_hand(review: Review) -> None:
    corners = np.array([[12, 2], [16, 2], [16, 6], [12, 6]]) / (WIDTH, HEIGHT)
    line = " ".join(map(str, [1, *corners.ravel()]))
    done, rows = review("yolo-seg", lines_of(EMPTY, lambda lines: [line]))
    assert changed(done) == {"images changed": 1, "objects added": 1, "class maps changed": 1}
    consistent(rows[1])
    assert rows[1]["objects"]["bbox"] == [[12, 2, 4, 4]] and rows[1]["classes"] == [2]


def test_a_joint_that_was_moved(review: Review, hand_set: Path) -> None:
    def edit(lines: list[str]) -> list[str]:
        words = lines[0].split()
        words[5:8] = [str(17.5 / WIDTH), str(7.5 / HEIGHT), "1"]  # the nose
        return [" ".join(words), *lines[1:]]

    done, rows = review("yolo-pose", lines_of(FIRST, edit))
    assert changed(done) == {"images changed": 1, "objects changed": 1}
    before, row = rows_of(hand_set)["train"][0]["objects"], rows[0]["objects"]
    person = row["category"].index(2)
    assert row["score"][person] == 1 and row["keypoints"][person][0] == pytest.approx([17.5, 7.5, 1])
    assert row["keypoint_score"][person] == [1.0, *before["keypoint_score"][1][1:]]
    assert row["segmentation"][person] == before["segmentation"][1]
    # what the format does not hold is untouched: the dog and the cat
    assert [row["id"][row["score"].index(score)] for score in (0.875, before["score"][2])] == [
        before["id"][0], before["id"][2],
    ]  # fmt: skip


def test_void_and_classes_painted_in_the_class_map(review: Review, hand_set: Path) -> None:
    def correct(folder: Path) -> None:
        def edit(pixels: np.ndarray) -> None:
            pixels[0, 20], pixels[6:20, 13] = 255, 3

        painted(folder, f"SegmentationClass/{FIRST}.png", edit)

    done, rows = review("voc", correct)
    assert changed(done) == {"images changed": 1, "class maps changed": 1}
    expected = full().label.copy()
    expected[0, 20], expected[6:20, 13] = 255, 3
    np.testing.assert_array_equal(decode_png(rows[0]["label"]["bytes"]), expected)
    assert rows[0]["quality"]["uncertain"] == pytest.approx((expected == 255).mean())
    assert rows[0]["objects"] == rows_of(hand_set)["train"][0]["objects"]


def test_an_object_removed_from_the_xml_does_not_shift_the_others(review: Review, hand_set: Path) -> None:
    def correct(folder: Path) -> None:
        file = folder / "Annotations" / f"{FIRST}.xml"
        tree = ElementTree.parse(file)
        tree.getroot().remove(tree.getroot().find("object"))
        tree.write(file)
        painted(folder, f"SegmentationObject/{FIRST}.png", lambda pixels: pixels.__setitem__(pixels == 1, 0))

    done, rows = review("voc", correct)
    assert changed(done) == {"images changed": 1, "objects removed": 1, "class maps changed": 1}
    before = rows_of(hand_set)["train"][0]["objects"]
    assert rows[0]["objects"]["segmentation"] == before["segmentation"][1:]
    assert rows[0]["objects"]["id"] == before["id"][1:]


def test_an_instance_erased_in_cityscapes(review: Review) -> None:
    def correct(folder: Path) -> None:
        for kind, value in (("instanceIds", 24001), ("labelIds", 24)):
            file = f"gtFine/train/train/{FIRST}_gtFine_{kind}.png"
            painted(folder, file, lambda pixels, value=value: pixels.__setitem__(pixels == value, 4))

    done, rows = review("cityscapes", correct)
    assert changed(done) == {"images changed": 1, "objects removed": 1, "class maps changed": 1}
    consistent(rows[0])
    assert rows[0]["objects"]["category"] == [1, 0] and rows[0]["classes"] == [1, 2]


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


def test_joints_and_states_in_label_studio(review: Review) -> None:
    def edit(tasks: Any) -> None:
        result = tasks[0]["annotations"][0]["result"]
        result[:] = [one for one in result if not (one["type"] == "choices" and one["id"] == "o2-left_wrist")]
        cat = next(one for one in result if one["id"] == "o3")
        result.append({**cat, "type": "choices", "from_name": "state", "value": {"choices": ["crowd"]}})

    done, rows = review("label-studio", of_json("tasks.json", edit))
    assert changed(done)["objects changed"] == 2
    objects = rows[0]["objects"]
    person, cat = objects["category"].index(2), objects["category"].index(0)
    assert objects["keypoints"][person][9][2] == 2 and objects["iscrowd"][cat] == 1


def test_cvat_rounds_and_a_polygon_takes_the_place_of_a_mask(review: Review) -> None:
    def correct(folder: Path) -> None:
        file = folder / "annotations.xml"
        text = re.sub(r'points="([\d.]+),([\d.]+)"', lambda m: f'points="{float(m[1]):.2f},{float(m[2]):.2f}"',
                      file.read_text())  # fmt: skip
        root = ElementTree.fromstring(text)
        image = next(one for one in root.iter("image") if LAST in one.get("name"))
        left = image.find("mask")
        polygon = ElementTree.Element("polygon", {"label": "person", "points": "0,4;5,4;5,18;0,18", "group_id": "1"})
        image.insert(0, polygon)
        image.remove(left)
        file.write_text(ElementTree.tostring(root, encoding="unicode"))

    done, rows = review("cvat", correct)
    assert changed(done) == {"images changed": 1, "objects changed": 1, "class maps changed": 1}
    consistent(rows[2])
    assert rows[2]["objects"]["bbox"] == [[0, 4, 5, 14], [5, 2, 6, 16]]
    np.testing.assert_array_equal(rle.decode(rows[2]["objects"]["segmentation"][1]), two_people().objects.masks[1])


def test_a_second_review_keeps_the_first_one_s_name(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    import_set(exports["coco"], "coco", str(hand_set), tmp_path / "v2")
    import_set(exports["voc"], "voc", str(tmp_path / "v2"), tmp_path / "v3")
    assert rows_of(tmp_path / "v3")["train"][0]["provenance"]["annotator"] == "reviewed:voc:reviewed:coco:tester"
    marker = json.loads((tmp_path / "v3" / ".dataset_dm.json").read_text())
    assert marker == {"dataset": "hand", "config": "all", "labels": "0", "reviewed": "voc coco"}
    assert (tmp_path / "v3" / "README.md").is_file() and (tmp_path / "v3" / "preview.png").is_file()

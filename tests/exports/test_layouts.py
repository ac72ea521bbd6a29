"""The files as others read them: pycocotools, the readers of this package's training, YAML, plain XML and JSON."""

import contextlib
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import yaml
from pycocotools.coco import COCO

from dataset_dm.exports import export_set
from dataset_dm.exports.coco import category_ids
from dataset_dm.labels import rle
from dataset_dm.readers.cityscapes import CityscapesFolder
from dataset_dm.readers.coco import CocoSet
from dataset_dm.readers.images import read_ids
from dataset_dm.readers.voc import VocFolder
from tests.exports.sets import CLASSES, FIRST, HEIGHT, LAST, WIDTH, full, two_people


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


def test_yolo_is_ultralytics_folder(exports: dict[str, Path]) -> None:
    for name, classes in {"yolo": CLASSES, "yolo-seg": CLASSES, "yolo-pose": ["person"]}.items():
        root = exports[name]
        content = yaml.safe_load((root / "data.yaml").read_text())
        assert (content["train"], content["val"]) == ("images/train", "images/val") and "path" not in content
        assert content["names"] == dict(enumerate(classes))
        for split in ("train", "val"):
            images = {file.stem for file in (root / "images" / split).iterdir()}
            assert images == {file.stem for file in (root / "labels" / split).iterdir()}
    assert content["kpt_shape"] == [17, 3] and content["flip_idx"][:5] == [0, 2, 1, 4, 3]
    lines = (exports["yolo"] / "labels" / "train" / f"{FIRST}.txt").read_text().splitlines()
    # the dog spans columns 1..9 and rows 1..13 of 24 by 20
    assert lines[0] == "1 0.2291667 0.375 0.375 0.65"
    assert (exports["yolo"] / "labels" / "train" / "train_000000_000018.txt").read_text() == ""
    pose = (exports["yolo-pose"] / "labels" / "train" / f"{LAST}.txt").read_text().splitlines()
    assert [len(line.split()) for line in pose] == [56, 56] and set(pose[0].split()[5:]) == {"0"}
    for line in (exports["yolo-seg"] / "labels" / "train" / f"{FIRST}.txt").read_text().splitlines():
        shares = np.array(line.split()[1:], float)
        assert len(shares) % 2 == 0 and len(shares) >= 6 and shares.min() >= 0 and shares.max() <= 1


def test_yolo_names_a_val_split_even_without_one(hand_set: Path, tmp_path: Path) -> None:
    export_set(str(hand_set), "yolo", tmp_path / "out", splits=["train"])
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["val"] == "images/train"
    assert not (tmp_path / "out" / "images" / "val").exists()


def test_this_package_trains_on_the_voc_folder(exports: dict[str, Path]) -> None:
    read = VocFolder(exports["voc"], split="train")
    assert read.classes == CLASSES and len(read) == 3
    for position, true in ((0, full()), (2, two_people())):
        np.testing.assert_array_equal(read[position].label, true.label)
        for number, mask in enumerate(true.objects.masks, start=1):
            np.testing.assert_array_equal(read[position].instances.map == number, mask)
    box = ElementTree.parse(exports["voc"] / "Annotations" / f"{FIRST}.xml").find("object/bndbox")
    # columns 1..9, rows 1..13, counted from 1
    assert [side.text for side in box] == ["2", "2", "10", "14"]
    assert (exports["voc"] / "ImageSets" / "Main" / "validation.txt").read_text() == "validation_000000_000000\n"


def test_cityscapes_classes_keep_their_ids(exports: dict[str, Path]) -> None:
    ids = json.loads((exports["cityscapes"] / "classes.json").read_text())
    assert ids == {"void": 0, "background": 4, "cat": 34, "dog": 35, "person": 24}
    folder = exports["cityscapes"] / "gtFine" / "train" / "train"
    numbers = read_ids(folder / f"{FIRST}_gtFine_instanceIds.png", "numbers")
    masks = full().objects.masks
    for number, mask in zip((35000, 24001, 34002), masks, strict=True):
        np.testing.assert_array_equal(numbers == number, mask)


def test_this_package_trains_on_people_of_the_cityscapes_folder(exports: dict[str, Path]) -> None:
    read = CityscapesFolder(exports["cityscapes"], classes=("person",))
    assert [entry.name for entry in read.entries] == ["train_000000_000016", "train_000000_000018", LAST]
    people = read[2].instances
    for number, mask in enumerate(two_people().objects.masks, start=1):
        np.testing.assert_array_equal(people.map == number, mask)


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


def test_cvat_labels_cover_what_the_file_uses(exports: dict[str, Path]) -> None:
    labels = {one["name"]: one for one in json.loads((exports["cvat"] / "labels.json").read_text())}
    root = ElementTree.parse(exports["cvat"] / "annotations.xml").getroot()
    assert root.findtext("version") == "1.1" and [one.get("id") for one in root.iter("image")] == ["0", "1", "2", "3"]
    for shape in (shape for image in root.iter("image") for shape in image):
        assert shape.get("label") in labels
        if shape.tag == "skeleton":
            points = [point.get("label") for point in shape]
            assert points == [one["name"] for one in labels[shape.get("label")]["sublabels"]]
    declared = {one.findtext("name"): one for one in root.iterfind("meta/project/labels/label")}
    assert {name for name, one in declared.items() if one.find("parent") is None} == set(labels)
    assert [name for name, one in declared.items() if one.findtext("parent") == "person keypoints"] == points
    assert [one.text for one in declared["dog"].iterfind("attributes/attribute/name")] == ["score", "crowd"]
    subsets = [one.text for one in root.iterfind("meta/project/subsets/subset")]
    assert subsets == ["train", "validation"] and {one.get("subset") for one in root.iter("image")} == set(subsets)
    svg = ElementTree.fromstring(f"<svg>{labels['person keypoints']['svg']}</svg>")
    assert len(svg.findall("circle")) == 17 and len(svg.findall("line")) == 19

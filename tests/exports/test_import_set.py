"""What does not fit: one clear line, nothing written, nothing left behind."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import UserError
from dataset_dm.exports import import_set
from dataset_dm.labels import rle
from tests.exports.sets import FIRST, HEIGHT, WIDTH, rows_of, write_set

COCO, TASKS, CVAT = "annotations/instances_train.json", "tasks.json", "annotations.xml"
LINES, XML = f"labels/train/{FIRST}.txt", f"Annotations/{FIRST}.xml"


def text(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Replaces the first place of a text in a file."""

    def damage(folder: Path) -> None:
        content = (folder / file).read_text()
        assert old in content
        (folder / file).write_text(content.replace(old, new, 1))

    return damage


def one(edit: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Edits the content of the COCO file."""
    return of(COCO, edit)


def of(file: str, edit: Callable[[Any], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        edit(content)
        (folder / file).write_text(json.dumps(content))

    return damage


def small(file: str) -> Callable[[Path], None]:
    """A map of half the width."""

    def damage(folder: Path) -> None:
        with Image.open(folder / file) as image:
            image.crop((0, 0, WIDTH // 2, HEIGHT)).save(folder / file)

    return damage


def painted(file: str, value: int) -> Callable[[Path], None]:
    """A pixel of a map with another value."""

    def damage(folder: Path) -> None:
        with Image.open(folder / file) as image:
            pixels, palette = np.array(image), image.getpalette()
        pixels[0, 0] = value
        changed = Image.fromarray(pixels)
        if palette:
            changed.putpalette(palette)
        changed.save(folder / file)

    return damage


OTHER_SIZE = rle.encode(np.ones((HEIGHT, WIDTH + 1), bool))
MANY = {"image_id": 16, "category_id": 1, "bbox": [0, 0, 2, 2]}
MASK = f"gtFine/train/train/{FIRST}_gtFine_"

FILES = [
    ("coco", one(lambda c: c["images"][0].update(file_name="train_000000_000017.png")), "1 unknown image, the first"),
    ("coco", one(lambda c: c["images"][1].update(file_name=c["images"][0]["file_name"])), "comes twice"),
    ("coco", one(lambda c: c["images"][0].pop("file_name")), "without file_name"),
    ("coco", one(lambda c: c["images"][0].update(width=25)), "25×20, its image 24×20"),
    ("coco", one(lambda c: c["annotations"][0].pop("bbox")), "no bbox"),
    ("coco", one(lambda c: c["annotations"][0].update(bbox=[20, 0, 9, 3])), "within 24×20"),
    ("coco", one(lambda c: c["annotations"][0].update(segmentation=OTHER_SIZE)), "25×20, its image 24×20"),
    ("coco", one(lambda c: c["annotations"][0].update(category_id=5)), "class: got 5"),
    ("coco", one(lambda c: c["annotations"][0].update(image_id=5)), "image_id: got 5"),
    ("coco", one(lambda c: c["annotations"][0].update(score=2)), "score: got 2"),
    ("coco", one(lambda c: c["annotations"][1].update(keypoints=[1, 2, 2])), "1 keypoints, expected 17"),
    ("coco", one(lambda c: c["categories"][0].update(name="cats")), "class: got 'cats'"),
    ("coco", one(lambda c: c["annotations"].extend([MANY] * 300)), "at most 255 per image"),
    ("coco", text(COCO, "{", ""), "cannot be read as JSON"),
    ("coco", lambda folder: shutil.rmtree(folder / "annotations"), "no annotation file"),
    ("yolo", text(LINES, " 0.65", ""), "3 numbers after the class; the box is missing"),
    ("yolo", text(LINES, " 0.65", " 0.65 0.5"), "expected x, y, w, h alone"),
    ("yolo", text(LINES, "1 0.2291667", "7 0.2291667"), "class: got 7, expected 0..2"),
    ("yolo", text(LINES, " 0.65", " 1.5"), "shares from 0 to 1"),
    ("yolo", text(LINES, " 0.65", " nan"), "shares from 0 to 1"),
    ("yolo", text(LINES, " 0.65", " dog"), "expected a class id and numbers"),
    ("yolo", lambda folder: (folder / LINES).unlink(), "its label file is missing"),
    ("yolo", lambda folder: shutil.rmtree(folder / "labels"), "no label file"),
    ("yolo", text("data.yaml", '"dog"', '"dogs"'), "did you mean 'dog'?"),
    ("yolo", text("data.yaml", "names:", "names: ["), "cannot be read"),
    ("yolo", lambda folder: (folder / "labels/train/foreign.txt").write_text(""), "unknown image"),
    ("yolo-seg", lambda folder: (folder / LINES).write_text("0 0 0 0.1 0.1"), "at least three points"),
    ("yolo-seg", lambda folder: (folder / LINES).write_text("0 0 0 0.001 0 0 0.001"), "covers no pixel"),
    ("yolo-pose", lambda folder: (folder / LINES).write_text("0 0.5 0.5 0.1 0.1"), "17 keypoints"),
    ("yolo-pose", text(LINES, " 2 ", " 3 "), "visibility of a keypoint"),
    ("voc", text(XML, "<name>dog</name>", "<name>dgo</name>"), "did you mean 'dog'?"),
    ("voc", text(XML, "<xmin>2</xmin>", ""), "xmin: got None"),
    ("voc", text(XML, "<bndbox>", "<box>"), "cannot be read as XML"),
    ("voc", text(XML, "<width>24", "<width>25"), "25×20, its image 24×20"),
    ("voc", small(f"SegmentationClass/{FIRST}.png"), "12×20, its image 24×20"),
    ("voc", painted(f"SegmentationClass/{FIRST}.png", 4), "got 4, expected 0..3 or 255"),
    ("voc", painted(f"SegmentationObject/{FIRST}.png", 9), "object 9 of SegmentationObject has no box"),
    ("cityscapes", small(f"{MASK}labelIds.png"), "12×20, its image 24×20"),
    ("cityscapes", small(f"{MASK}instanceIds.png"), "12×20, its image 24×20"),
    ("cityscapes", painted(f"{MASK}labelIds.png", 26), "id of labelIds: got 26"),
    ("cityscapes", painted(f"{MASK}instanceIds.png", 26000), "class: got '26'"),
    ("cityscapes", of("classes.json", lambda c: c.update(truck=27)), "class: got 'truck'"),
    ("label-studio", of(TASKS, lambda c: [task.pop("annotations") for task in c]), "none of 4 tasks was reviewed"),
    ("label-studio", text(TASKS, '"brushlabels": ["dog"]', '"brushlabels": ["dogg"]'), "did you mean 'dog'?"),
    ("label-studio", text(TASKS, '"original_width": 24', '"original_width": 25'), "25×20, its image 24×20"),
    ("label-studio", text(TASKS, '"parentID": "o2"', '"parentID": "o9"'), "a keypoint without its person"),
    ("label-studio", text(TASKS, '"type": "brushlabels"', '"type": "ellipselabels"'), "type: got 'ellipselabels'"),
    ("label-studio", text(TASKS, '"rle": [0,', '"rle": [1,'), "mask cannot be read"),
    ("label-studio", text(TASKS, FIRST, "foreign"), "unknown image"),
    ("cvat", text(CVAT, 'label="dog"', 'label="dot"'), "did you mean 'dog'?"),
    ("cvat", text(CVAT, 'left="1"', 'left="20"'), "a part of 24×20"),
    ("cvat", text(CVAT, 'rle="1, ', 'rle="2, '), "a part of 24×20"),
    ("cvat", text(CVAT, 'width="24"', 'width="25"'), "25×20, its image 24×20"),
    ("cvat", text(CVAT, '<skeleton label="person keypoints" source="auto" occluded="0" z_order="0" group_id="2"',
                  '<skeleton label="person keypoints"'), "a skeleton without its person"),
    ("cvat", text(CVAT, "<annotations>", "<notes>"), "cannot be read as XML"),
    ("cvat", lambda folder: (folder / CVAT).unlink(), "no annotations.xml"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "damage", "said"), FILES)
def test_damaged_files(
    name: str, damage: Callable[[Path], Any], said: str, hand_set: Path, exports: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(exports[name], tmp_path / "files")
    damage(tmp_path / "files")
    with pytest.raises(UserError) as caught:
        import_set(tmp_path / "files", name, str(hand_set), tmp_path / "new")
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["files"]


def test_a_set_without_provenance_takes_no_review(exports: dict[str, Path], tmp_path: Path) -> None:
    bare = write_set(tmp_path / "bare", without=("provenance",))
    with pytest.raises(UserError, match="no provenance"):
        import_set(exports["coco"], "coco", str(bare), tmp_path / "new")


def test_the_set_itself_is_never_changed(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in hand_set.rglob("*") if file.is_file()}
    import_set(exports["cvat"], "cvat", str(hand_set), tmp_path / "new")
    assert {file: file.read_bytes() for file in hand_set.rglob("*") if file.is_file()} == before
    assert rows_of(tmp_path / "new").keys() == rows_of(hand_set).keys()

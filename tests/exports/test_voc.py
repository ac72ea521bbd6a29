"""PASCAL VOC's folder, and what is read back from its maps."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dataset_dm.labels.images import decode_png
from dataset_dm.readers.voc import VocFolder
from tests.exports.reviews import Review, changed, painted
from tests.exports.sets import CLASSES, FIRST, full, rows_of, two_people


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

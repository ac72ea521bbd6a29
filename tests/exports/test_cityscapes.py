"""Cityscapes' maps, and what is read back from them."""

import json
from pathlib import Path

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.exports.cityscapes import Cityscapes
from dataset_dm.readers.cityscapes import CityscapesFolder
from dataset_dm.readers.images import read_ids
from tests.exports.reviews import Review, changed, consistent, painted
from tests.exports.sets import FIRST, LAST, full, two_people


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


def test_an_instance_erased_in_cityscapes(review: Review) -> None:
    def correct(folder: Path) -> None:
        for kind, value in (("instanceIds", 24001), ("labelIds", 24)):
            file = f"gtFine/train/train/{FIRST}_gtFine_{kind}.png"
            painted(folder, file, lambda pixels, value=value: pixels.__setitem__(pixels == value, 4))

    done, rows = review("cityscapes", correct)
    assert changed(done) == {"images changed": 1, "objects removed": 1, "class maps changed": 1}
    consistent(rows[0])
    assert rows[0]["objects"]["category"] == [1, 0] and rows[0]["classes"] == [1, 2]


def test_cityscapes_has_room_for_31_more_classes() -> None:
    names = [f"class {i}" for i in range(32)]
    Cityscapes().check([*names[:31], "car"], ["objects"])
    Cityscapes().check(names, ["label"])
    with pytest.raises(DataError, match="got 32, expected at most 31; take another format, such as coco"):
        Cityscapes().check(names, ["objects"])

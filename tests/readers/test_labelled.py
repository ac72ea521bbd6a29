"""Checks that all readers share."""

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.readers.labelled import SampleError, check_size, choose_classes, no_split, without_background


def test_a_leading_background_is_left_out():
    assert without_background(["_Background_", " cat ", "", "background"]) == ("cat", "background")


def test_classes_are_chosen_by_name():
    assert choose_classes(["cat", "dog"], None, "set", "a class") == ("cat", "dog")
    assert choose_classes(["cat", "dog"], ["background", "dog"], "set", "a class") == ("dog",)
    with pytest.raises(DataError, match="set: class: got 'dogs', expected a class; did you mean 'dog'"):
        choose_classes(["cat", "dog"], ["dogs"], "set", "a class")
    with pytest.raises(DataError, match="set: classes: got .*, expected each name once"):
        choose_classes(["cat", "dog"], ["dog", "dog"], "set", "a class")


def test_sizes_must_agree():
    check_size(np.zeros((2, 3, 3), np.uint8), (2, 3), "mask", "a")
    with pytest.raises(SampleError, match="a: mask is 2×3, its image 3×2") as caught:
        check_size(np.zeros((2, 3, 3), np.uint8), (3, 2), "mask", "a")
    assert caught.value.reason == "wrong size"


def test_a_missing_split_lists_the_others():
    assert str(no_split("set", "trian", ["train", "val"])) == (
        "set: no split 'trian'; there are: train, val; did you mean 'train'?"
    )
    assert str(no_split("set", "val", [], " in lists")) == "set: no split 'val' in lists; there are: none"

"""Masks, their run-length form and their boxes: there and back."""

import numpy as np
import pytest

from dataset_dm.labels import rle


def drawn(text: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in line] for line in text.split()])


MASKS = {
    "hole": drawn("##### #...# #.#.# #...# #####"),
    "two_parts": drawn("##... ##... ..... ...## ...##"),
    "one_pixel": drawn("..... ..... ..#.. ....."),
    "corner": drawn("....# ..... ....."),
    "full": np.ones((3, 7), bool),
    "empty": np.zeros((4, 6), bool),
    "wide": np.arange(2 * 999).reshape(2, 999) % 3 == 0,
}
BOXES = {
    "hole": (0, 0, 5, 5),
    "two_parts": (0, 0, 5, 5),
    "one_pixel": (2, 2, 1, 1),
    "corner": (4, 0, 1, 1),
    "full": (0, 0, 7, 3),
    "empty": (0, 0, 0, 0),
}


@pytest.mark.parametrize("name", MASKS)
def test_fault_6_every_hole_and_part_comes_back(name: str) -> None:
    form = rle.encode(MASKS[name])
    assert form["size"] == list(MASKS[name].shape) and isinstance(form["counts"], str)
    np.testing.assert_array_equal(rle.decode(form), MASKS[name])


@pytest.mark.parametrize("name", BOXES)
def test_boxes_are_tight(name: str) -> None:
    assert rle.box(MASKS[name]) == BOXES[name]
    x, y, w, h = (int(side) for side in rle.box(rle.decode(rle.encode(MASKS[name]))))
    assert MASKS[name][y : y + h, x : x + w].sum() == MASKS[name].sum()


def test_a_form_worked_out_by_hand() -> None:
    # columns first: 1 empty, 2 set, 3 empty
    mask = drawn(".#. #..")
    np.testing.assert_array_equal(rle.decode({"size": [2, 3], "counts": [1, 2, 3]}), mask)
    assert rle.encode(mask) == {"size": [2, 3], "counts": "123"}


def test_polygons_are_joined() -> None:
    left, right = [0, 0, 2, 0, 2, 2, 0, 2], [3, 3, 5, 3, 5, 5, 3, 5]
    np.testing.assert_array_equal(rle.decode(rle.from_polygons([left, right], (5, 5))), MASKS["two_parts"])


@pytest.mark.parametrize("polygons", [[], [[0, 0, 1, 1]], [[0, 0, 1, 0, 1, 1, 0]]])
def test_bad_polygons_are_named(polygons: list) -> None:
    with pytest.raises(ValueError, match="polygon"):
        rle.from_polygons(polygons, (4, 4))


@pytest.mark.parametrize("counts", [[1, 2], [9], [-1, 7], "123", b"9", "4444"])
def test_runs_that_do_not_fill_the_image_are_refused(counts: object) -> None:
    size = [2, 3] if counts != "123" else [2, 4]
    with pytest.raises(ValueError, match="runs add up to"):
        rle.decode({"size": size, "counts": counts})

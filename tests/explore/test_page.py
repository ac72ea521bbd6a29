"""Panels and HTML of a page."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.explore.images import Look, draw_sample
from dataset_dm.explore.index import Wanted
from dataset_dm.explore.page import Card, page_html, plain_details
from dataset_dm.explore.sets import open_set
from dataset_dm.explore.view import Explorer, Request
from dataset_dm.visualization.overlay import display_colours
from tests.explore.sets import GREY, HEIGHT, WIDTH

SIDE = 64  # panels are enlarged fourfold


@pytest.fixture(scope="module")
def explorer(one: Path) -> Explorer:
    return Explorer(open_set(str(one)))


@pytest.fixture(scope="module")
def both(one: Path, other: Path) -> Explorer:
    return Explorer(open_set(str(one)), open_set(str(other)))


def drawn(
    explorer: Explorer, place: int, panels: tuple[str, ...], lines: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Title → image of a row's panels."""
    look = Look(panels=panels, lines=lines, side=SIDE)
    asked = Request(split="train", wanted=Wanted(), look=look)
    labelled = explorer._read(asked, np.array([place]))[0]
    names = dict.fromkeys(("", "A", "B"), explorer.one.class_names)
    rows = {mark: row for mark, (_, row) in labelled.items()}
    return {title: np.asarray(image) for title, image in draw_sample(rows, look, names, None)}


def html(explorer: Explorer, panels: tuple[str, ...] = ("classes",), **asked: object) -> str:
    look = Look(panels=panels, side=SIDE)
    return explorer.page(Request(split="train", look=look, **{"wanted": Wanted(), **asked})).html


def test_panels_stand_over_the_image_where_the_label_is(explorer: Explorer) -> None:
    found = drawn(explorer, 0, ("image", "classes", "objects"))
    assert list(found) == ["image", "classes", "objects"]
    assert all(image.shape == (4 * HEIGHT, 4 * WIDTH, 3) for image in found.values())
    assert (found["image"] == GREY).all()
    cat = display_colours()[1].astype(float)
    inside = (4 * 5, 4 * 8)  # the cat spans rows 2..7 and columns 4..11
    assert found["classes"][inside] == pytest.approx(0.74 * cat + 0.26 * GREY, abs=1)
    assert found["objects"][inside] == pytest.approx(0.66 * cat + 0.34 * GREY, abs=1)
    outside = 0.72 * 246 + 0.28 * GREY
    assert found["classes"][4 * 1, 4 * 1] == pytest.approx([outside] * 3, abs=1)


def test_lines_lie_on_labels_and_on_an_image_alone(explorer: Explorer) -> None:
    plain = drawn(explorer, 3, ("image",))["image"]
    boxed = drawn(explorer, 3, ("image",), ("boxes",))["image"]
    assert (plain == GREY).all()
    changed = np.argwhere((boxed != plain).any(axis=-1))
    assert changed[:, 1].min() == 4 * 4 - 2 and changed[:, 0].max() == 4 * HEIGHT - 1  # just outside of columns 4..7
    both = drawn(explorer, 3, ("image", "classes"), ("boxes", "skeletons"))
    assert (both["image"] == GREY).all()
    bare = drawn(explorer, 3, ("classes",))["classes"]
    shoulder = (4 * 3 + 2, 4 * 6)  # between the shoulders, at row 3.5
    assert (both["classes"][shoulder] != bare[shoulder]).any()


def test_masks_wear_no_box_unless_asked(explorer: Explorer) -> None:
    edge = (4 * 4, 4 * 4 - 2)  # left of the cat's mask, where its box would be
    assert (drawn(explorer, 0, ("objects",))["objects"][edge] > 150).all()
    assert (drawn(explorer, 0, ("objects",), ("boxes",))["objects"][edge] != 205).any()


def test_two_annotators_stand_side_by_side(both: Explorer) -> None:
    found = drawn(both, 1, ("classes", "differences"))
    assert list(found) == ["A classes", "B classes", "differences"]
    dog, cat = (4 * 5, 4 * 12), (4 * 5, 4 * 3)
    assert (found["A classes"][dog] != found["B classes"][dog]).any()
    assert (found["A classes"][cat] == found["B classes"][cat]).all()
    red, green, blue = found["differences"][dog].tolist()
    assert red > 150 > green and red > blue
    assert (found["differences"][cat] == found["differences"][0, 0]).all()
    text = html(both)
    assert "same class on 75.0 % of pixels" in text  # the dog has 6 x 8 of 12 x 16 pixels
    assert text.count("not in B") == 1  # the last row
    assert both.annotators("train") == {"A": "one (first)", "B": "other (second)"}


def test_sets_of_other_images_are_refused(one: Path, tmp_path: Path) -> None:
    from tests.exports.sets import write_set

    far = write_set(tmp_path / "far")  # its indices are 16, 18 and 19
    with pytest.raises(DataError, match="no row in common: expected the same images"):
        Explorer(open_set(str(one)), open_set(str(far)))


def test_a_page_says_what_is_known(explorer: Explorer) -> None:
    text = html(explorer, per_page=2)
    assert re.findall(r"<b>#(\d+)</b>", text) == ["10", "11"]
    assert "confidence 0.90" in text and "cat 25%" in text  # 6 x 8 of 12 x 16 pixels
    assert "<td>seed</td><td>70</td>" in text and "<td>annotator</td><td>first</td>" in text
    assert "<td>presence.cat</td><td>0.9</td>" in text and "presence.dog" not in text
    assert "&lt;b&gt;empty&lt;/b&gt;" in html(explorer) and "<b>empty" not in html(explorer)


def test_pages_end_where_the_rows_end(explorer: Explorer) -> None:
    look = Look(panels=("image",), side=SIDE)
    asked = {"split": "train", "look": look, "per_page": 2, "rules": {"min_confidence": 0.55}}
    page = explorer.page(Request(wanted=Wanted(), page=9, **asked))
    assert (page.page, page.pages, page.found, page.total) == (3, 3, 5, 5)
    assert re.findall(r"<b>#(\d+)</b>", page.html) == ["14"]
    assert page.reasons == {"kept": 3, "low_confidence": 2}
    dropped = explorer.page(Request(wanted=Wanted(reason="low_confidence"), **asked))
    assert dropped.found == 2 and dropped.html.count("dropped: low_confidence") == 2
    nothing = explorer.page(Request(wanted=Wanted(text="zebra"), **asked))
    assert (nothing.page, nothing.pages, nothing.found) == (1, 1, 0) and "No sample" in nothing.html


def test_html_of_a_card_is_escaped_and_as_wide_as_its_panels() -> None:
    image = Image.new("RGB", (30, 20))
    text = page_html([Card(number=3, panels=[("a<b", image), ("c", image)], alert="<x>", prompt='"><script>')])
    assert "width: 92px" in text  # 30 + 6 + 30, and 26 around them
    assert "<script>" not in text and "<x>" not in text and "a&lt;b" in text
    assert text.count("<img ") == 2 and 'width="30" height="20"' in text


def test_details_leave_out_what_is_not_known() -> None:
    value = {"a": {"b": 0.123456, "none": None}, "list": [1, None], "empty": []}
    assert plain_details(value) == [("a.b", "0.1235"), ("list", "1, –")]

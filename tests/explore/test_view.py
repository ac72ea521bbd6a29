"""Pages of one set, and of two."""

import re
from pathlib import Path

import pytest

from dataset_dm.errors import DataError
from dataset_dm.explore.images import Look
from dataset_dm.explore.index import Wanted
from dataset_dm.explore.sets import open_set
from dataset_dm.explore.view import Explorer, Request
from tests.explore.sets import SIDE, drawn


def html(explorer: Explorer, panels: tuple[str, ...] = ("classes",), **asked: object) -> str:
    look = Look(panels=panels, side=SIDE)
    return explorer.page(Request(split="train", look=look, **{"wanted": Wanted(), **asked})).html


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

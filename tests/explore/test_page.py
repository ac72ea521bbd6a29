"""Panels and HTML of a page."""

from PIL import Image

from dataset_dm.explore.page import Card, page_html, plain_details


def test_html_of_a_card_is_escaped_and_as_wide_as_its_panels() -> None:
    image = Image.new("RGB", (30, 20))
    text = page_html([Card(number=3, panels=[("a<b", image), ("c", image)], alert="<x>", prompt='"><script>')])
    assert "width: 92px" in text  # 30 + 6 + 30, and 26 around them
    assert "<script>" not in text and "<x>" not in text and "a&lt;b" in text
    assert text.count("<img ") == 2 and 'width="30" height="20"' in text


def test_details_leave_out_what_is_not_known() -> None:
    value = {"a": {"b": 0.123456, "none": None}, "list": [1, None], "empty": []}
    assert plain_details(value) == [("a.b", "0.1235"), ("list", "1, –")]

"""Average precision of annotations in COCO's form, by hand."""

import math

import pytest

from dataset_dm.metrics.coco import average_precision


def box(image: int, left: float, category: int = 1, **more: object) -> dict[str, object]:
    """A box of 100 × 10 pixels that starts at column `left`."""
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [left, 0, 100, 10],
        "area": 1000.0,
        "iscrowd": 0,
        **more,
    }


def test_three_boxes_by_hand() -> None:
    truth = [box(0, 0), box(0, 500), box(1, 0, category=2)]
    found = [
        box(0, 0, score=0.9),  # exact
        box(0, 525, score=0.8),  # IoU 75 / 125 = 0.6: right at 0.50, 0.55 and 0.60
        box(1, 300, category=2, score=0.7),  # misses its object
    ]
    precision = average_precision("bbox", [(100, 800), (100, 800)], [1, 2], truth, found)
    half = 51 / 101  # one of two objects found: 51 of 101 recall levels, without a false detection before it
    of_first = (3 * 1 + 7 * half) / 10
    assert precision.by_class == {1: pytest.approx(of_first), 2: 0}
    assert precision.ap == pytest.approx(of_first / 2)
    assert precision.ap50 == pytest.approx(0.5) and precision.ap75 == pytest.approx(half / 2)
    # 1000 pixels are small; there is nothing else
    assert precision.sizes["small"] == pytest.approx(of_first / 2) and math.isnan(precision.sizes["large"])


def test_nothing_true_is_nan_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    given = [box(0, 0, score=0.5)]
    precision = average_precision("bbox", [(100, 800)], [1], [], given)
    assert math.isnan(precision.ap) and math.isnan(precision.by_class[1])
    assert capsys.readouterr().out == "" and "id" not in given[0], "what is given is not changed"

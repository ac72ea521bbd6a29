"""Seen, unseen, head and tail by hand."""

import math

import numpy as np
import pytest

from dataset_dm.metrics.groups import Split, grouped_miou, harmonic, seen_unseen
from dataset_dm.metrics.semantic import Confusion


def confusion() -> Confusion:
    """IoUs: background 1, class 1 1/2, class 2 1/4, classes 3 and 4 occur nowhere."""
    matrix = np.zeros((5, 5), dtype=np.int64)
    matrix[0, 0] = 10
    matrix[1, 1], matrix[1, 2] = 3, 3  # class 1: 3 of 6 found
    matrix[2, 2] = 1  # class 2: 1 right, 3 called so wrongly
    return Confusion(5, matrix)


def test_groups_by_hand() -> None:
    assert confusion().iou()[1:3] == pytest.approx([3 / 6, 1 / 4])
    assert grouped_miou(confusion(), {1: "head", 2: "tail", 4: "tail"}) == pytest.approx({"head": 0.5, "tail": 0.25})
    assert math.isnan(grouped_miou(confusion(), {4: "tail"})["tail"])


def test_seen_unseen_leave_background_out() -> None:
    figures = seen_unseen(confusion(), [1])  # the second class, id 2
    assert figures == pytest.approx({"seen": 0.5, "unseen": 0.25, "harmonic": 2 * 0.5 * 0.25 / 0.75})


def test_harmonic() -> None:
    assert harmonic(0.5, 0.2) == pytest.approx(0.2 / 0.7) and harmonic(0.0, 0.0) == 0 and harmonic(0.9, 0.0) == 0


@pytest.mark.parametrize(
    ("unseen", "said"),
    [([], "0 unseen of 4"), ([0, 1, 2, 3], "4 unseen of 4"), ([4], r"got position 4, expected 0\.\.3")],
)
def test_bad_splits_are_named(unseen: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        seen_unseen(confusion(), unseen)


def test_bad_groups_are_named() -> None:
    with pytest.raises(ValueError, match=r"got class 9, expected 0\.\.4"):
        grouped_miou(confusion(), {9: "head"})


def test_a_split_names_its_figures_and_its_classes() -> None:
    both = Split(unseen=(1,), tail=(1,))
    assert both.figures(confusion())["tail_miou"] == both.figures(confusion())["unseen_miou"] == pytest.approx(0.25)
    assert (
        set(Split(tail=(0,)).figures(confusion())) == {"head_miou", "tail_miou"} and Split().figures(confusion()) == {}
    )
    assert Split(tail=(1,)).notes("abcd") == ["tail classes: b; background counts on neither side."]

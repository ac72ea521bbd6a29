"""Stored rows as samples."""

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.exports.stored import sample_of
from dataset_dm.labels.images import encode_png
from tests.exports.sets import CLASSES, FIRST, HEIGHT, WIDTH, full, rows_of


def stored(pixels: np.ndarray) -> dict[str, object]:
    """The column of an image."""
    return {"bytes": encode_png(pixels), "path": None}


def test_a_row_of_all_labels(hand_set: Path) -> None:
    row = rows_of(hand_set)["train"][0]
    sample = sample_of(row, "train", 16, 0, CLASSES, "set")
    assert (sample.name, sample.file, sample.size) == (FIRST, f"{FIRST}.png", (HEIGHT, WIDTH)) and sample.has_depth
    np.testing.assert_array_equal(sample.labels.label, full().label)
    assert [instance.category for instance in sample.labels.instances] == [1, 2, 0]
    for instance, mask in zip(sample.labels.instances, full().objects.masks, strict=True):
        np.testing.assert_array_equal(instance.mask, mask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": {"bytes": b"none", "path": None}}, "row 3: image cannot be read"),
        ({"image": None}, "row 3: image: is missing"),
        (
            {"label": {"bytes": encode_png(np.zeros((2, 2), np.uint8)), "path": None}},
            "row 3: label: got '.2, 2. uint8'",
        ),
        ({"label": {"bytes": encode_png(np.full((HEIGHT, WIDTH), 9, np.uint8)), "path": None}}, "row 3: label: got 9"),
        ({"objects": [{"category": 7, "bbox": [0, 0, 1, 1]}]}, "object 0: category: got 7, expected 0..2"),
        ({"objects": [{"category": 1}]}, "object 0: got 'category', expected category and bbox"),
    ],
)
def test_damaged_rows_are_named(change: dict[str, object], message: str, hand_set: Path) -> None:
    with pytest.raises(DataError, match=message):
        sample_of({**rows_of(hand_set)["train"][0], **change}, "train", 16, 3, CLASSES, "set")

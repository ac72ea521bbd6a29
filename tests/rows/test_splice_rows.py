"""Stored samples become mosaics: image rows, label rows, seeds and prompts of the tiles."""

import numpy as np
import pytest

from dataset_dm.labels.images import decode_png
from dataset_dm.rows.splice_rows import mosaics
from dataset_dm.store.plans import read
from tests.store.conftest import home, stored  # noqa: F401  (fixtures: a store with two samples)


def test_two_samples_side_by_side(stored) -> None:  # noqa: F811
    images, labels = read(stored.plan, stored.images, stored.labels, "train", 0)
    drawn, found, lost = mosaics(images, labels, (1, 2))
    (row,), (label,) = drawn.to_pylist(), found.to_pylist()
    assert row["index"] == label["index"] == 0 and len(lost) == 1
    assert row["seeds"] == images.column("seed").to_pylist()
    assert [one["text"] for one in row["prompts"]] == images.column("prompt").to_pylist()
    assert row["prompt"] == " | ".join(images.column("prompt").to_pylist())
    shown = decode_png(label["label"]["bytes"])
    left, right = (decode_png(one["label"]["bytes"]) for one in labels.to_pylist())
    assert shown.shape == left.shape and set(np.unique(shown[:, :64])) <= set(np.unique(left))
    assert set(np.unique(shown[:, 64:])) <= set(np.unique(right))


def test_one_unusable_tile_makes_the_mosaic_unusable(stored) -> None:  # noqa: F811
    images, labels = read(stored.plan, stored.images, stored.labels, "train", 0)
    place = images.column_names.index("unusable")
    spoilt = images.set_column(place, "unusable", [[None, "constant"]])
    drawn, _, _ = mosaics(spoilt, labels, (2, 1))
    assert drawn.column("unusable").to_pylist() == ["constant"]


def test_samples_fill_whole_mosaics(stored) -> None:  # noqa: F811
    images, labels = read(stored.plan, stored.images, stored.labels, "train", 0)
    with pytest.raises(AssertionError, match="2 samples do not fill mosaics of 4"):
        mosaics(images, labels, (2, 2))

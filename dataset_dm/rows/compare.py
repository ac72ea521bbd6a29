"""Differences between two versions of a row by column: none to the last byte, or the share of pixels or objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_depth, decode_png

# Tolerated under another batch, device, number of threads or version: levels of an image, share of pixels.
LEVELS = 2
ALIKE = 0.999
_METRES = 0.01  # of a depth, relative
_OVERLAP = 0.99  # of an object's mask, intersection over union


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of one column.

    Args:
        column: its name.
        same: whether all bytes are equal.
        share: of the image's values, the labels' pixels or the objects that agree within the tolerance, 0..1.
    """

    column: str
    same: bool
    share: float

    @property
    def tolerated(self) -> bool:
        """Whether other conditions explain it: all values of an image and nearly all pixels of labels agree."""
        return self.share >= (1.0 if self.column == "image" else ALIKE)

    def __str__(self) -> str:
        if self.same:
            return f"{self.column}: the same to the last byte"
        return f"{self.column}: {100 * self.share:.3f} % of its {_WHAT[self.column]} agree"


def row_differences(row: Mapping[str, Any], again: Mapping[str, Any]) -> list[Difference]:
    """One entry for every column of images and labels that both rows have; plain dicts as parquet gives them.

    Raises DataError for images of unequal size.
    """
    names = [name for name in _SHARES if row.get(name) is not None and again.get(name) is not None]
    return [_difference(name, row[name], again[name]) for name in names]


def _difference(column: str, one: Any, other: Any) -> Difference:
    if column == "objects":  # a set may leave fields out
        fields = set(one) & set(other)
        one, other = ({name: value[name] for name in fields} for value in (one, other))
    same = one == other if column == "objects" else one["bytes"] == other["bytes"]
    return Difference(column, same, 1.0 if same else _SHARES[column](one, other))


def _values(one: Any, other: Any) -> float:
    first, second = _pair("image", decode_png(one["bytes"]), decode_png(other["bytes"]))
    return float((np.abs(first.astype(np.int16) - second.astype(np.int16)) <= LEVELS).mean())


def _pixels(one: Any, other: Any) -> float:
    first, second = _pair("label", decode_png(one["bytes"]), decode_png(other["bytes"]))
    equal = first == second
    return float((equal if equal.ndim == 2 else equal.all(axis=-1)).mean())


def _depths(one: Any, other: Any) -> float:
    first, second = _pair("depth_map", decode_depth(one["bytes"]), decode_depth(other["bytes"]))
    return float((np.abs(first - second) <= _METRES * np.maximum(first, second)).mean())


def _objects(one: Any, other: Any) -> float:
    """Share of the objects, by rank, that have the same class and nearly the same mask."""
    instances, others = (list(zip(part["category"], part["segmentation"], strict=True)) for part in (one, other))
    most = max(len(instances), len(others))
    alike = sum(
        first[0] == second[0] and _overlap(first[1], second[1]) >= _OVERLAP
        for first, second in zip(instances, others, strict=False)  # an object without a counterpart does not agree
    )
    return alike / most if most else 1.0


def _overlap(one: Any, other: Any) -> float:
    first, second = rle.decode(one), rle.decode(other)
    return float((first & second).sum() / max(1, (first | second).sum())) if first.shape == second.shape else 0.0


def _pair(column: str, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if first.shape != second.shape:
        raise DataError(explain(column, got=second.shape, expected=f"the row's {first.shape}"))
    return first, second


_SHARES: dict[str, Callable[[Any, Any], float]] = {
    "image": _values,
    "label": _pixels,
    "annotation": _pixels,
    "depth_map": _depths,
    "objects": _objects,
}
_WHAT = {"image": "values", "label": "pixels", "annotation": "pixels", "depth_map": "pixels", "objects": "objects"}

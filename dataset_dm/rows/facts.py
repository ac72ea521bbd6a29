"""The facts that filters read of a row, gathered from its image row and its label row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_dm.labels.classes import asked_positions
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.label_codec import object_confidence
from dataset_dm.store.schema import unusable

# every kind of fact
FACTS = (
    "unusable",
    "confidence",
    "uncertain",
    "classes",
    "area",
    "asked_presence",
    "objects",
    "object_confidence",
    "keypoint_confidence",
    "depth_confidence",
)
# fields that `object_confidence` reads; the run lengths stay in Arrow
_TRUST = ("score", "keypoints", "keypoint_score")
# keys of `objects_trust`
_OF_OBJECTS = ("objects", "object_confidence", "keypoint_confidence")


def row_facts(plan: GenerationPlan, split: str, images: pa.Table, labels: pa.Table) -> Iterator[Mapping[str, Any]]:
    """The facts of each row, see `filters.Filter`; each kind is gathered when a filter first reads it.

    Args:
        plan: that of the rows.
        split: the split, or a round of it, with the rows' prompts.
        images: columns index, unsafe and, in newer shards, unusable.
        labels: columns of LABEL_ROWS.
    """
    facts = _Facts(plan, split, images, labels)
    return (_RowFacts(facts, position) for position in range(images.num_rows))


class _RowFacts(Mapping[str, Any]):
    """The facts of one row."""

    def __init__(self, facts: _Facts, position: int) -> None:
        self._facts, self._position = facts, position

    def __getitem__(self, name: str) -> Any:
        return self._facts.column(name)[self._position]

    def __iter__(self) -> Iterator[str]:
        return iter(FACTS)

    def __len__(self) -> int:
        return len(FACTS)


class _Facts:
    """The facts of all rows by kind."""

    def __init__(self, plan: GenerationPlan, split: str, images: pa.Table, labels: pa.Table) -> None:
        self.plan, self.split, self.images, self.labels = plan, split, images, labels
        self._known: dict[str, Sequence[Any]] = {}

    def column(self, name: str) -> Sequence[Any]:
        """One kind of fact, with one value for each row; KeyError for an unknown kind."""
        if name not in self._known:
            if name not in FACTS:
                raise KeyError(name)
            if name in _OF_OBJECTS:
                self._known.update(objects_trust(self.labels))
            else:
                self._known[name] = self._gather(name)
        return self._known[name]

    def _gather(self, name: str) -> Sequence[Any]:
        if name == "unusable":
            return unusable(self.images)
        if name == "area":
            return areas(self.labels)
        if name == "asked_presence":
            rows = zip(self.images.column("index").to_pylist(), self.labels.column("presence").to_pylist(), strict=True)
            return [_least(presence, _asked(self.plan, self.split, index)) for index, presence in rows]
        return self.labels.column(name).to_pylist()


def objects_trust(labels: pa.Table) -> dict[str, list[Any]]:
    """For every row the number of its objects and the mean confidence of objects and keypoints; None if not read."""
    column = one_array(labels.column("objects"))
    if column.null_count == len(column):
        return {name: [None] * len(column) for name in _OF_OBJECTS}
    parts = [pc.struct_field(column, name).to_pylist() for name in _TRUST]
    trust: dict[str, list[Any]] = {"objects": [], "object_confidence": [], "keypoint_confidence": []}
    for values in zip(*parts, strict=True):
        objects = None if values[0] is None else dict(zip(_TRUST, values, strict=True))
        of_objects, of_points = object_confidence(objects)
        trust["objects"].append(None if objects is None else len(objects["score"]))
        trust["object_confidence"].append(of_objects)
        trust["keypoint_confidence"].append(of_points)
    return trust


def areas(labels: pa.Table) -> list[float | None]:
    """For every row the share of its pixels with a class, by the class map, else by the objects; None without both."""
    maps = labels.column("label").to_pylist()
    column = one_array(labels.column("objects"))
    pixels, outlines = (pc.struct_field(column, name).to_pylist() for name in ("area", "segmentation"))
    return [
        _of_map(one["bytes"]) if one is not None else _of_objects(*rest)
        for one, *rest in zip(maps, pixels, outlines, strict=True)
    ]


def _of_map(png: bytes) -> float:
    label = decode_png(png)
    return float(np.mean((label != 0) & (label != VOID)))


def _of_objects(pixels: list[int] | None, outlines: list[dict[str, Any]] | None) -> float | None:
    """Share of an image that its objects cover; they share no pixel."""
    if pixels is None or outlines is None:
        return None
    if not pixels:
        return 0.0
    height, width = outlines[0]["size"]
    return sum(pixels) / (height * width)


def _asked(plan: GenerationPlan, split: str, index: int) -> set[int]:
    """Positions of the classes that the prompts of the row's tiles name."""
    tiles = range(index * plan.samples_per_row, (index + 1) * plan.samples_per_row)
    return {position for sample in tiles for position in asked_positions(plan.prompt(split, sample), plan.classes)}


def _least(presence: list[float] | None, asked: set[int]) -> float | None:
    return None if presence is None or not asked else min(presence[position] for position in asked)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """The values of a column as one array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

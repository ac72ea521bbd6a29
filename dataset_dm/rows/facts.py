"""What filters see of a row, gathered from its image row and its label row."""

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
# what `object_confidence` looks at; the run lengths stay in Arrow
_TRUST = ("score", "keypoints", "keypoint_score")
# by these names `objects_trust` gives them
_OF_OBJECTS = ("objects", "object_confidence", "keypoint_confidence")


def row_facts(plan: GenerationPlan, split: str, images: pa.Table, labels: pa.Table) -> Iterator[Mapping[str, Any]]:
    """The facts of each row, see `filters.Filter`; each kind is gathered when a filter first reads it.

    Args:
        plan: what the rows were made with.
        split: or a round of it: whose prompts to look up.
        images: columns index, unsafe and, if there, unusable.
        labels: columns of LABEL_ROWS.
    """
    facts = _Facts(plan, split, images, labels)
    return (_RowFacts(facts, position) for position in range(images.num_rows))


class _RowFacts(Mapping[str, Any]):
    """What is known of one row."""

    def __init__(self, facts: _Facts, position: int) -> None:
        self._facts, self._position = facts, position

    def __getitem__(self, name: str) -> Any:
        return self._facts.column(name)[self._position]

    def __iter__(self) -> Iterator[str]:
        return iter(FACTS)

    def __len__(self) -> int:
        return len(FACTS)


class _Facts:
    """What is known of all rows, kind by kind."""

    def __init__(self, plan: GenerationPlan, split: str, images: pa.Table, labels: pa.Table) -> None:
        self.plan, self.split, self.images, self.labels = plan, split, images, labels
        self._known: dict[str, Sequence[Any]] = {}

    def column(self, name: str) -> Sequence[Any]:
        """One kind of fact, a value a row; KeyError for an unknown one."""
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
    """For every row the number of its objects, the mean confidence in them and in their keypoints; None if not read."""
    column = _column(labels, "objects")
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
    """For every row the share of its pixels that show a class: of the class map, else of the objects; None without."""
    maps = labels.column("label").to_pylist()
    column = _column(labels, "objects")
    pixels, outlines = (pc.struct_field(column, name).to_pylist() for name in ("area", "segmentation"))
    return [
        _of_map(one["bytes"]) if one is not None else _of_objects(*rest)
        for one, *rest in zip(maps, pixels, outlines, strict=True)
    ]


def _of_map(png: bytes) -> float:
    label = decode_png(png)
    return float(np.mean((label != 0) & (label != VOID)))


def _of_objects(pixels: list[int] | None, outlines: list[dict[str, Any]] | None) -> float | None:
    """Objects share no pixel, so that their areas add up."""
    if pixels is None or outlines is None:
        return None
    if not pixels:
        return 0.0
    height, width = outlines[0]["size"]
    return sum(pixels) / (height * width)


def _asked(plan: GenerationPlan, split: str, index: int) -> set[int]:
    """Positions of the classes that the row's prompt names, or its tiles' prompts."""
    tiles = range(index * plan.samples_per_row, (index + 1) * plan.samples_per_row)
    return {one for sample in tiles for one in asked_positions(plan.prompt(split, sample), plan.classes)}


def _least(presence: list[float] | None, asked: set[int]) -> float | None:
    return None if presence is None or not asked else min(presence[position] for position in asked)


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

"""Facts of every row, read without its images, and the rows that pass a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from dataset_dm.exports.open_dataset import Source, fields
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.rows import filters
from dataset_dm.rows.filters import Drop

if TYPE_CHECKING:
    import pyarrow as pa

# filter → the figure, or the count, that it checks; the others of `filters.KNOWN` need the labels themselves
RULES = {
    "min_confidence": "confidence",
    "max_uncertain": "uncertain",
    "min_classes": "classes",
    "min_objects": "objects",
    "min_object_confidence": "object_confidence",
    "min_keypoint_confidence": "keypoint_confidence",
    "min_depth_confidence": "depth_confidence",
}
FIGURES = ("confidence", "uncertain", "object_confidence", "keypoint_confidence", "depth_confidence")
KEPT = "kept"
ORDERS = ("as stored", "lowest confidence first", "highest confidence first")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows to show, and in which order.

    Args:
        classes: ids; a row shows one of them, or all if `every`.
        confidence: range within 0..1; rows without confidence pass (0, 1) only.
        reason: None for all rows, KEPT for those that no filter drops, else the reason for which rows are dropped.
        text: words of the prompt; upper and lower case are equal.
        order: one of ORDERS.
    """

    classes: tuple[int, ...] = ()
    every: bool = False
    confidence: tuple[float, float] = (0.0, 1.0)
    reason: str | None = None
    text: str = ""
    order: str = ORDERS[0]


@dataclass(frozen=True, kw_only=True)
class Index:
    """Facts of the n rows of a split.

    Args:
        numbers: the number of a row: its image_id, else its index, else its position.
        shown: whether a row shows the class of that id; None where no column states it.
        figures: name of FIGURES → values in 0..1, NaN for unknown.
        objects: number of objects, -1 unknown; None where the set has no objects.
        prompts: texts, "" unknown.
        annotator: the annotator of the labels, "" unknown.
        tasks: the kinds of labels, names of `tasks.TASKS`.
    """

    numbers: Int64[np.ndarray, " n"]
    shown: Bool[np.ndarray, "n k"] | None
    figures: Mapping[str, Float32[np.ndarray, " n"]]
    objects: Int64[np.ndarray, " n"] | None
    prompts: tuple[str, ...]
    annotator: str
    tasks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def known(self, figure: str) -> Float32[np.ndarray, " m"]:
        """The known values of a figure."""
        values = self.figures.get(figure, np.zeros(0, np.float32))
        return values[~np.isnan(values)]

    def class_counts(self) -> dict[int, int]:
        """Class id → number of rows that show it, for classes that occur."""
        counts = np.zeros(0, int) if self.shown is None else self.shown.sum(axis=0)
        return {i: int(count) for i, count in enumerate(counts) if count}

    def rules(self) -> tuple[str, ...]:
        """The filters of `generate` that these rows have the facts for."""
        return tuple(name for name in RULES if self._judges(name))

    def reasons(self, asked: Mapping[str, Any]) -> list[str]:
        """For every row the reason for which filters such as {"min_confidence": 0.6} would drop it, else KEPT.

        Raises:
            ConfigError: an unknown filter, one that these labels have no facts for, a bound out of range.
        """
        chosen = filters.from_dict(asked, self.tasks)
        if not asked:
            return [KEPT] * len(self)
        columns = {name: [None if np.isnan(v) else float(v) for v in values] for name, values in self.figures.items()}
        facts = {name: columns.get(name, [None] * len(self)) for name in FIGURES}
        counted = [()] * len(self) if self.shown is None else [np.flatnonzero(row) for row in self.shown]
        found = []
        for place in range(len(self)):
            row = {name: values[place] for name, values in facts.items()}
            row |= {"unusable": None, "classes": counted[place]}
            row["objects"] = None if self.objects is None else int(self.objects[place])
            drop = next((verdict for keep in chosen if isinstance(verdict := keep(row), Drop)), None)
            found.append(KEPT if drop is None else drop.reason)
        return found

    def find(self, wanted: Wanted, reasons: Sequence[str] | None = None) -> Int64[np.ndarray, " m"]:
        """Positions of the wanted rows, in the wanted order."""
        keep = np.ones(len(self), bool)
        if wanted.classes and self.shown is not None:
            chosen = self.shown[:, [i for i in wanted.classes if i < self.shown.shape[1]]]
            keep &= chosen.all(axis=1) if wanted.every else chosen.any(axis=1)
        confidence = self.figures.get("confidence", np.full(len(self), np.nan, np.float32))
        low, high = wanted.confidence
        if (low, high) != (0, 1):
            keep &= (confidence >= low) & (confidence <= high)  # false for NaN
        if wanted.reason is not None and reasons is not None:
            keep &= np.array([reason == wanted.reason for reason in reasons], bool)
        for word in wanted.text.casefold().split():
            keep &= np.array([word in prompt.casefold() for prompt in self.prompts], bool)
        found = np.flatnonzero(keep)
        if wanted.order == ORDERS[0]:
            return found
        sign = 1 if wanted.order == ORDERS[1] else -1
        return found[np.argsort(sign * confidence[found], kind="stable")]  # NaN comes last in either order

    def _judges(self, rule: str) -> bool:
        if not set(filters.KNOWN[rule].needs) & set(self.tasks):
            return False
        judged = RULES[rule]
        if judged == "classes":
            return self.shown is not None
        if judged == "objects":
            return self.objects is not None and bool((self.objects >= 0).all())
        values = self.figures.get(judged)
        if values is None or np.isnan(values).all():
            return False
        # these two need a number in every row
        return judged not in ("confidence", "uncertain") or not np.isnan(values).any()


def count_reasons(reasons: Sequence[str]) -> dict[str, int]:
    """Reason → rows, the kept ones first."""
    counts = Counter(reasons)
    return {name: counts[name] for name in sorted(counts, key=lambda name: (name != KEPT, name))}


def read_index(opened: Source, split: str) -> Index:
    """The facts of a split, read from its small columns."""
    table, features = opened.splits[split], opened.features
    names = fields(features.get("objects"))
    quality = [name for name in FIGURES if name in fields(features.get("quality"))]
    paths = [name for name in ("classes", "prompt") if name in features]
    paths += [f"quality.{name}" for name in quality]
    paths += ["objects.category"] if "category" in names else []
    columns = {} if not paths else dict(zip((small := table.columns(paths)).column_names, small.columns, strict=True))
    objects = None if "category" not in names else _categories(columns["objects"])
    prompts = columns["prompt"].to_pylist() if "prompt" in columns else [""] * len(table)
    return Index(
        numbers=np.array(opened.indices(split, range(-(2**62), 2**62)), np.int64),
        shown=_shown(columns.get("classes"), objects, max(len(opened.class_names), 1)),
        figures={name: _figure(columns["quality"], name) for name in quality},
        objects=None if objects is None else np.array([-1 if row is None else len(row) for row in objects], np.int64),
        prompts=tuple(prompt if isinstance(prompt, str) else "" for prompt in prompts),
        annotator=_annotator(opened, split),
        tasks=_tasks(features, names),
    )


def _tasks(features: Mapping[str, Any], objects: Mapping[str, Any]) -> tuple[str, ...]:
    there = {
        "semantic": "label" in features,
        "instance": "objects" in features or "annotation" in features,
        "depth": "depth_map" in features,
        "pose": "keypoints" in objects,
    }
    return tuple(name for name, is_there in there.items() if is_there)


def _array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if hasattr(whole, "num_chunks") else whole


def _categories(column: pa.ChunkedArray) -> list[list[int] | None]:
    """For every row the categories of its objects, from 0; None where objects were not annotated."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = _array(column)
    if pa.types.is_struct(array.type):
        return pc.struct_field(array, "category").to_pylist()
    return [None if row is None else [entry["category"] for entry in row] for row in array.to_pylist()]


def _shown(
    classes: pa.ChunkedArray | None, objects: Sequence[Sequence[int] | None] | None, count: int
) -> Bool[np.ndarray, "n k"] | None:
    """Which classes a row shows: from the column of classes, else from the objects."""
    if classes is not None:
        rows = [row or () for row in classes.to_pylist()]
    elif objects is not None:
        rows = [[category + 1 for category in row or () if isinstance(category, int)] for row in objects]
    else:
        return None
    ids = [[class_id for class_id in row if isinstance(class_id, int) and 0 < class_id < VOID] for row in rows]
    shown = np.zeros((len(rows), max([count, *(max(row) + 1 for row in ids if row)])), bool)
    for place, row in enumerate(ids):
        shown[place, row] = True
    return shown


def _figure(quality: pa.ChunkedArray, name: str) -> Float32[np.ndarray, " n"]:
    import pyarrow.compute as pc

    values = pc.struct_field(_array(quality), name).to_pylist()
    return np.array([np.nan if value is None else value for value in values], np.float32)


def _annotator(opened: Source, split: str) -> str:
    """Annotator and revision of the first row: a set has one annotator."""
    table = opened.splits[split]
    if "annotator" not in fields(opened.features.get("provenance")) or not len(table):
        return ""
    provenance = table.rows([0], ["provenance"])[0]["provenance"] or {}
    revision = provenance.get("annotator_revision")
    return (provenance.get("annotator") or "") + (f"@{revision}" if revision else "")

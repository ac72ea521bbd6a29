"""What is known of every row without its pictures, and which rows a filter leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_dm.explore.sets import OpenSet, Table, fields
from dataset_dm.rows import filters
from dataset_dm.rows.filters import Drop

if TYPE_CHECKING:
    import pyarrow as pa

# filter → the figure, or the count, that it judges; the others of `filters.KNOWN` look at the labels themselves
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
ORDERS = ("as stored", "least sure first", "surest first")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows to show, and in which order.

    Args:
        classes: ids; a row shows one of them, or all if `every`.
        confidence: least and most, 0..1; rows whose confidence is not known pass (0, 1) alone.
        reason: None for all rows, KEPT for those that no filter drops, else the reason they are dropped for.
        text: words that stand in the prompt, in any case.
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
        numbers: int64 [n], what a row is called: its image_id, else its index, else its place.
        shown: bool [n k], whether a row shows the class of that id; None where the columns do not say.
        figures: name of FIGURES → float32 [n], 0..1, NaN where it is not known.
        objects: int64 [n], how many there are, -1 unknown; None where the set has no objects.
        prompts: texts, "" unknown.
        labeller: what the labels were read by, "" unknown.
        tasks: the kinds of labels there are, names of `tasks.TASKS`.
    """

    numbers: np.ndarray
    shown: np.ndarray | None
    figures: Mapping[str, np.ndarray]
    objects: np.ndarray | None
    prompts: tuple[str, ...]
    labeller: str
    tasks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def known(self, figure: str) -> np.ndarray:
        """The values of a figure that are known, [m]."""
        values = self.figures.get(figure, np.zeros(0, np.float32))
        return values[~np.isnan(values)]

    def class_counts(self) -> dict[int, int]:
        """Class id → rows that show it, of those that occur."""
        counts = np.zeros(0, int) if self.shown is None else self.shown.sum(axis=0)
        return {i: int(count) for i, count in enumerate(counts) if count}

    def rules(self) -> tuple[str, ...]:
        """The filters, of those that `generate` knows, that can judge these rows."""
        return tuple(name for name in RULES if self._judges(name))

    def reasons(self, asked: Mapping[str, Any]) -> list[str]:
        """For every row the reason it would be dropped for by filters such as {"min_confidence": 0.6}; KEPT for none.

        Raises:
            ConfigError: an unknown filter, one that these labels cannot answer, a bound out of range.
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

    def find(self, wanted: Wanted, reasons: Sequence[str] | None = None) -> np.ndarray:
        """Positions of the rows that are wanted, in their order, int64 [m]."""
        keep = np.ones(len(self), bool)
        if wanted.classes and self.shown is not None:
            chosen = self.shown[:, [i for i in wanted.classes if i < self.shown.shape[1]]]
            keep &= chosen.all(axis=1) if wanted.every else chosen.any(axis=1)
        sure = self.figures.get("confidence", np.full(len(self), np.nan, np.float32))
        low, high = wanted.confidence
        if (low, high) != (0, 1):
            keep &= (sure >= low) & (sure <= high)  # NaN is neither
        if wanted.reason is not None and reasons is not None:
            keep &= np.array([one == wanted.reason for one in reasons], bool)
        for word in wanted.text.casefold().split():
            keep &= np.array([word in prompt.casefold() for prompt in self.prompts], bool)
        found = np.flatnonzero(keep)
        if wanted.order == ORDERS[0]:
            return found
        sign = 1 if wanted.order == ORDERS[1] else -1
        return found[np.argsort(sign * sure[found], kind="stable")]  # NaN goes last in either order

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
        # these two ask for a number in every row
        return judged not in ("confidence", "uncertain") or not np.isnan(values).any()


def count_reasons(reasons: Sequence[str]) -> dict[str, int]:
    """Reason → rows, the kept ones first."""
    counts = Counter(reasons)
    return {name: counts[name] for name in sorted(counts, key=lambda name: (name != KEPT, name))}


def read_index(opened: OpenSet, split: str) -> Index:
    """The facts of a split, read from its light columns."""
    table, features = opened.splits[split], opened.features
    names = tuple(fields(features.get("objects")))
    quality = [name for name in FIGURES if name in fields(features.get("quality"))]
    paths = [name for name in ("image_id", "classes", "prompt") if name in features]
    paths += [f"quality.{name}" for name in quality]
    paths += ["objects.category"] if "category" in names else []
    light = table.columns(paths) if paths else None
    objects = None if "category" not in names else _categories(light.column("objects"))
    return Index(
        numbers=_numbers(light, table, features),
        shown=_shown(light, objects, max(len(opened.class_names), 1)),
        figures={name: _figure(light, name) for name in quality},
        objects=None if objects is None else np.array([-1 if row is None else len(row) for row in objects], np.int64),
        prompts=_prompts(light, len(table)),
        labeller=_labeller(table, features),
        tasks=_tasks(features, names),
    )


def _tasks(features: Mapping[str, Any], objects: Sequence[str]) -> tuple[str, ...]:
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
    """For every row the categories of its objects, from 0; None where nobody looked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = _array(column)
    if pa.types.is_struct(array.type):
        return pc.struct_field(array, "category").to_pylist()
    return [None if row is None else [one["category"] for one in row] for row in array.to_pylist()]


def _shown(light: pa.Table | None, objects: Sequence[Sequence[int] | None] | None, count: int) -> np.ndarray | None:
    """Of the column of classes, else of the objects."""
    if light is not None and "classes" in light.column_names:
        rows = [row or () for row in light.column("classes").to_pylist()]
    elif objects is not None:
        rows = [[one + 1 for one in row or () if isinstance(one, int)] for row in objects]
    else:
        return None
    ids = [[one for one in row if isinstance(one, int) and 0 < one < 255] for row in rows]
    shown = np.zeros((len(rows), max([count, *(max(row) + 1 for row in ids if row)])), bool)
    for place, row in enumerate(ids):
        shown[place, row] = True
    return shown


def _figure(light: pa.Table, name: str) -> np.ndarray:
    import pyarrow.compute as pc

    values = pc.struct_field(_array(light.column("quality")), name).to_pylist()
    return np.array([np.nan if value is None else value for value in values], np.float32)


def _prompts(light: pa.Table | None, count: int) -> tuple[str, ...]:
    if light is None or "prompt" not in light.column_names:
        return ("",) * count
    return tuple(value if isinstance(value, str) else "" for value in light.column("prompt").to_pylist())


def _numbers(light: pa.Table | None, table: Table, features: Mapping[str, Any]) -> np.ndarray:
    """Image ids, else the indices in the rows' provenance, else places; only whole numbers that differ will do."""
    import pyarrow.compute as pc

    candidates = []
    if "image_id" in features:
        candidates.append(lambda: light.column("image_id").to_pylist())
    if "index" in fields(features.get("provenance")):
        column = lambda: _array(table.columns(["provenance.index"]).column("provenance"))  # noqa: E731
        candidates.append(lambda: pc.struct_field(column(), "index").to_pylist())
    for read in candidates:
        found = read()
        if all(isinstance(one, int) and abs(one) < 2**62 for one in found) and len(set(found)) == len(found):
            return np.array(found, np.int64)
    return np.arange(len(table), dtype=np.int64)


def _labeller(table: Table, features: Mapping[str, Any]) -> str:
    """Of the first row: one labeller makes a set."""
    if "annotator" not in fields(features.get("provenance")) or not len(table):
        return ""
    made = table.rows([0], ["provenance"])[0]["provenance"] or {}
    revision = made.get("annotator_revision")
    return (made.get("annotator") or "") + (f"@{revision}" if revision else "")

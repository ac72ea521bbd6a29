"""Counts over the rows of a set, gathered while they are written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dataset_dm.labels.records import BACKGROUND
from dataset_dm.rows.columns import shown_classes

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.rows.reader import Rows

_PREVIEW_ROWS = 12


class SetFacts:
    """Counts for the summary, the card and the preview, gathered while the rows of a set are written.

    Attributes:
        names: names of the label ids, background first; () for a set without classes.
        rows: number of rows.
        classes: id → rows that show it.
        quality: field of the quality column → its values.
        shown: the first rows, for the preview.
    """

    def __init__(self, rows: Rows) -> None:
        has_classes = bool({"classes", "objects"} & set(rows.schema.names))
        self.names = (BACKGROUND, *rows.plan.classes) if has_classes else ()
        self.rows = 0
        self.classes: Counter[int] = Counter()
        self.quality: dict[str, list[float]] = defaultdict(list)
        self.shown: list[dict[str, Any]] = []

    def watch(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The tables unchanged, counted as they pass."""
        for table in tables:
            self.rows += table.num_rows
            for ids in shown_classes(table):
                self.classes.update(ids)
            for quality in table.column("quality").to_pylist():
                for name, value in quality.items():
                    if isinstance(value, float):
                        self.quality[name].append(value)
            if len(self.shown) < _PREVIEW_ROWS:
                self.shown += table.slice(0, _PREVIEW_ROWS - len(self.shown)).to_pylist()
            yield table

    def mean(self, name: str) -> float:
        """Mean of a field of the quality column over the rows that have it."""
        return sum(self.quality[name]) / len(self.quality[name])

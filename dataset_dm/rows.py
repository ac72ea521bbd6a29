"""Stored shards → rows of a dataset: joined by index, filtered, with their provenance; no image is encoded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from dataset_dm.filters import Drop, Filter
from dataset_dm.plan import GenerationPlan
from dataset_dm.records import Provenance, arrow_schema

Features = Callable[[Sequence[str]], dict[str, Any]]


@dataclass(slots=True)
class Rows:
    """Turns the shards of one plan into tables of a config's columns; counts what it leaves out.

    Args:
        plan: what the shards were made with.
        features: class names → columns, as in `catalogue.Recipe`.
        filters: each keeps a row or gives a reason to drop it.
    """

    plan: GenerationPlan
    features: Features
    filters: Sequence[Filter] = ()
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def schema(self) -> pa.Schema:
        """Columns with the metadata that plain `load_dataset` reads."""
        return arrow_schema(self.features(self.plan.classes))

    def table(self, split: str, count: int, images: pa.Table, labels: pa.Table) -> pa.Table:
        """The rows with an index below `count`, in index order, less those that a filter drops.

        Args:
            images, labels: rows of one shard or of one batch of it, with the same indices.
        """
        if images.column("index").to_pylist() != labels.column("index").to_pylist():
            raise AssertionError("image rows and label rows of a shard differ in their indices")
        kept = self._kept(count, images, labels)
        if len(kept) < images.num_rows:
            chosen = pa.array(kept, pa.int64())
            images, labels = images.take(chosen), labels.take(chosen)
        columns = {
            "image": images.column("image"),
            "label": labels.column("label"),
            "classes": labels.column("classes"),
            "prompt": images.column("prompt"),
            "quality": _struct(
                {name: labels.column(name) for name in ("confidence", "uncertain", "presence")},
            ),
            "provenance": _struct(self._provenance(split, images)),
        }
        schema = self.schema
        return pa.table([_cast(columns[name], schema.field(name).type) for name in schema.names], schema=schema)

    def _kept(self, count: int, images: pa.Table, labels: pa.Table) -> list[int]:
        facts = {
            "unsafe": images.column("unsafe").to_pylist(),
            "confidence": labels.column("confidence").to_pylist(),
            "uncertain": labels.column("uncertain").to_pylist(),
            "classes": labels.column("classes").to_pylist(),
        }
        kept = []
        for position, index in enumerate(images.column("index").to_pylist()):
            if index >= count:
                continue
            row = {name: values[position] for name, values in facts.items()}
            drop = next((verdict for keep in self.filters if isinstance(verdict := keep(row), Drop)), None)
            if drop is None:
                kept.append(position)
            else:
                self.dropped[drop.reason] += 1
        return kept

    def _provenance(self, split: str, images: pa.Table) -> dict[str, Any]:
        plan = self.plan
        constant = asdict(
            Provenance(
                index=0,
                split=split,
                seed=0,
                attempt=0,
                generator=plan.generator,
                revision=plan.generator_revision,
                generator_hash=plan.generator_hash,
                adapter=plan.adapter,
                annotator=plan.annotator,
                annotator_revision=plan.annotator_revision,
                annotator_hash=plan.annotator_hash,
                steps=plan.steps,
                guidance=plan.guidance,
                scheduler=plan.scheduler,
                width=0,
                height=0,
                dtype=plan.dtype,
            )
        )
        varying = {name: images.column(name) for name in ("index", "seed", "attempt", "width", "height")}
        return {name: varying.get(name, [value] * images.num_rows) for name, value in constant.items()}


def _struct(columns: dict[str, Any]) -> pa.StructArray:
    arrays = [_array(column) for column in columns.values()]
    return pa.StructArray.from_arrays(arrays, names=list(columns))


def _array(column: Any) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return pa.array(column)


def _cast(column: Any, kind: pa.DataType) -> pa.Array:
    array = _array(column)
    return array if array.type == kind else array.cast(kind)

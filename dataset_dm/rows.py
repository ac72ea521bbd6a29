"""Stored shards → rows of a dataset: joined by index, filtered, with their provenance.

No image is encoded again, unless rows are mosaics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataset_dm.filters import Drop, Filter, min_score
from dataset_dm.label_rows import object_confidence, without_low_scores
from dataset_dm.mosaics import mosaics
from dataset_dm.plan import GenerationPlan
from dataset_dm.records import BACKGROUND, Provenance, arrow_schema
from dataset_dm.shard_schema import LABEL_ROWS

Features = Callable[[Sequence[str]], dict[str, Any]]

# what `object_confidence` looks at; the run lengths stay in Arrow
_TRUST = ("score", "keypoints", "keypoint_score")


@dataclass(slots=True)
class Rows:
    """Turns the shards of one plan into tables of a config's columns; counts what it leaves out.

    Args:
        plan: what the shards were made with.
        features: class names → columns, as in `catalogue.Recipe`.
        filters: each keeps a row or gives a reason to drop it.

    Attributes:
        dropped: reason → rows left out.
        dropped_objects: reason → objects left out of rows that stay.
    """

    plan: GenerationPlan
    features: Features
    filters: Sequence[Filter] = ()
    dropped: Counter[str] = field(default_factory=Counter)
    dropped_objects: Counter[str] = field(default_factory=Counter)

    @property
    def schema(self) -> pa.Schema:
        """Columns with the metadata that plain `load_dataset` reads."""
        return arrow_schema(self.features(self.plan.classes))

    def table(self, split: str, count: int, images: pa.Table, labels: pa.Table) -> pa.Table:
        """The rows with an index below `count`, in index order, less those that a filter drops.

        Args:
            images, labels: samples of one shard or of one batch of it, with the same indices; of a plan that splices,
                as many as fill whole mosaics.
        """
        if images.column("index").to_pylist() != labels.column("index").to_pylist():
            raise AssertionError("image rows and label rows of a shard differ in their indices")
        lost: list[list[str]] = [[] for _ in range(images.num_rows)]
        if self.plan.splice is not None:
            images, labels, lost = mosaics(images, labels, self.plan.splice)
        images, labels, lost = _first(count, images, labels, lost)
        labels, lost = self._without_low_scores(labels, lost)
        kept = self._kept(images, labels)
        self.dropped_objects.update(reason for position in kept for reason in lost[position])
        chosen = pa.array(kept, pa.int64())
        plain, names = self.features(self.plan.classes), self.plan.classes
        return assemble(plain, names, images.take(chosen), labels.take(chosen), self._provenance(split))

    def _without_low_scores(self, labels: pa.Table, lost: list[list[str]]) -> tuple[pa.Table, list[list[str]]]:
        """The label rows less their unsure objects, and why each lost some; untouched unless a filter asks for it."""
        least = min_score(self.filters)
        if least <= 0:
            return labels, lost
        changed = [without_low_scores(row, least) for row in labels.to_pylist()]
        lost = [[*before, *["low_score"] * number] for before, (_, number) in zip(lost, changed, strict=True)]
        return pa.Table.from_pylist([row for row, _ in changed], schema=LABEL_ROWS), lost

    def _kept(self, images: pa.Table, labels: pa.Table) -> list[int]:
        read = ("confidence", "uncertain", "classes", "depth_confidence")
        facts = {
            "unsafe": images.column("unsafe").to_pylist(),
            **{name: labels.column(name).to_pylist() for name in read},
            **objects_trust(labels),
        }
        kept = []
        for position in range(images.num_rows):
            row = {name: values[position] for name, values in facts.items()}
            drop = next((verdict for keep in self.filters if isinstance(verdict := keep(row), Drop)), None)
            if drop is None:
                kept.append(position)
            else:
                self.dropped[drop.reason] += 1
        return kept

    def _provenance(self, split: str) -> Provenance:
        plan = self.plan
        return Provenance(
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
            splice=None if plan.splice is None else f"{plan.splice[0]}x{plan.splice[1]}",
        )


def _first(
    count: int, images: pa.Table, labels: pa.Table, lost: list[list[str]]
) -> tuple[pa.Table, pa.Table, list[list[str]]]:
    """Those with an index below `count`."""
    wanted = [position for position, index in enumerate(images.column("index").to_pylist()) if index < count]
    chosen = pa.array(wanted, pa.int64())
    return images.take(chosen), labels.take(chosen), [lost[position] for position in wanted]


def assemble(
    plain: Mapping[str, Any], classes: Sequence[str], images: pa.Table, labels: pa.Table, provenance: Provenance
) -> pa.Table:
    """The columns of a config from image rows and label rows with the same indices.

    Args:
        plain: the columns, as `records` spells them.
        classes: class names without background.
        images: columns index, seed, attempt, prompt, image, width, height.
        labels: columns of LABEL_ROWS.
        provenance: of any row; what differs from row to row is taken from `images`.
    """
    schema = arrow_schema(dict(plain))
    columns = {
        "image_id": images.column("index"),
        **{name: images.column(name) for name in ("image", "width", "height", "prompt")},
        **{name: labels.column(name) for name in ("label", "classes", "annotation")},
        "depth_map": labels.column("depth"),
        "quality": _quality(labels),
        "provenance": _provenance(provenance, images),
    }
    if "objects" in schema.names:
        columns["objects"] = _fields(_array(labels.column("objects")), schema.field("objects").type)
        ids = {name: number for number, name in enumerate((BACKGROUND, *classes))}
        columns["semantic_class_to_id"] = pa.array([ids] * images.num_rows, schema.field("semantic_class_to_id").type)
    return pa.table([_cast(columns[name], schema.field(name).type) for name in schema.names], schema=schema)


def shown_classes(table: pa.Table) -> list[list[int]]:
    """For every row the ids of its classes (0 is background): of its label, else of its objects, else none."""
    if "classes" in table.column_names:
        return [ids or [] for ids in table.column("classes").to_pylist()]
    if "objects" not in table.column_names:
        return [[]] * table.num_rows
    categories = pc.struct_field(_array(table.column("objects")), "category").to_pylist()
    return [sorted({category + 1 for category in row}) for row in categories]


def objects_trust(labels: pa.Table) -> dict[str, list[Any]]:
    """For every row the number of its objects, the mean confidence in them and in their keypoints; None if not read."""
    column = _array(labels.column("objects"))
    parts = [pc.struct_field(column, name).to_pylist() for name in _TRUST]
    trust: dict[str, list[Any]] = {"objects": [], "object_confidence": [], "keypoint_confidence": []}
    for values in zip(*parts, strict=True):
        objects = None if values[0] is None else dict(zip(_TRUST, values, strict=True))
        thing, point = object_confidence(objects)
        trust["objects"].append(None if objects is None else len(objects["score"]))
        trust["object_confidence"].append(thing)
        trust["keypoint_confidence"].append(point)
    return trust


def _quality(labels: pa.Table) -> pa.StructArray:
    trust = objects_trust(labels)
    columns = {name: labels.column(name) for name in ("confidence", "uncertain", "presence")}
    for name in ("object_confidence", "keypoint_confidence"):
        columns[name] = pa.array(trust[name], pa.float32())
    return _struct({**columns, "depth_confidence": labels.column("depth_confidence")})


def _provenance(constant: Provenance, images: pa.Table) -> pa.StructArray:
    names = [name for name in ("index", "seed", "attempt", "width", "height", "seeds") if name in images.column_names]
    columns = {name: [value] * images.num_rows for name, value in asdict(constant).items()}
    return _struct({**columns, **{name: images.column(name) for name in names}})


def _fields(array: pa.Array, kind: pa.StructType) -> pa.StructArray:
    """The fields of a struct column that `kind` names, in its order."""
    names = [entry.name for entry in kind]
    return pa.StructArray.from_arrays([pc.struct_field(array, name) for name in names], names=names)


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

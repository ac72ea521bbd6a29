"""Image rows and label rows of the same samples → the columns of a config."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataset_dm.provenance import PROVENANCE, Provenance
from dataset_dm.records import BACKGROUND, arrow_schema
from dataset_dm.row_facts import objects_trust
from dataset_dm.shard_schema import PROMPTS


def assemble(
    plain: Mapping[str, Any], classes: Sequence[str], images: pa.Table, labels: pa.Table, provenance: Provenance
) -> pa.Table:
    """The columns of a config from image rows and label rows with the same indices.

    Args:
        plain: the columns, as `records` spells them.
        classes: class names without background.
        images: columns index, seed, attempt, prompt, image, width, height; of drawn ones requested too, of mosaics
            seeds and prompts.
        labels: columns of LABEL_ROWS.
        provenance: of any row; what differs from row to row is taken from `images`.
    """
    return assemble_as(arrow_schema(dict(plain)), classes, images, labels, provenance)


def assemble_as(
    schema: pa.Schema, classes: Sequence[str], images: pa.Table, labels: pa.Table, provenance: Provenance
) -> pa.Table:
    """As `assemble`, by the schema of the columns: a stream has it at hand."""
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


def _quality(labels: pa.Table) -> pa.StructArray:
    trust = objects_trust(labels)
    columns = {name: labels.column(name) for name in ("confidence", "uncertain", "presence")}
    for name in ("object_confidence", "keypoint_confidence"):
        columns[name] = pa.array(trust[name], pa.float32())
    columns["depth_confidence"] = labels.column("depth_confidence")
    columns["agreement"] = labels.column("agreement")
    return _struct(columns)


def _provenance(constant: Provenance, images: pa.Table) -> pa.StructArray:
    there = set(images.column_names)
    own = {} if "requested" not in there else {"prompts": _prompts(images)}
    given = ("index", "seed", "attempt", "width", "height", "seeds", "prompts")
    own.update({name: images.column(name) for name in given if name in there})
    fields = _fields_of_provenance()
    own = {name: _cast(column, fields[name].type) for name, column in own.items()}
    arrays = {**_constant(constant, images.num_rows), **own}
    return pa.StructArray.from_arrays(list(arrays.values()), fields=list(fields.values()))


@functools.lru_cache(maxsize=16)
def _constant(constant: Provenance, rows: int) -> dict[str, pa.Array]:
    """What is the same in so many rows. Known by now: a stream asks again with every shard."""
    # repeat() fails for no rows
    fields = _fields_of_provenance().items()
    return {name: pa.array([getattr(constant, name)] * rows, entry.type) for name, entry in fields}


@functools.lru_cache(maxsize=1)
def _fields_of_provenance() -> dict[str, pa.Field]:
    return {entry.name: entry for entry in arrow_schema({"provenance": PROVENANCE}).field("provenance").type}


def _prompts(images: pa.Table) -> pa.Array:
    """The one prompt of every sample with its classes."""
    columns = (images.column(name).to_pylist() for name in ("prompt", "requested"))
    return pa.array([[{"text": text, "classes": named}] for text, named in zip(*columns, strict=True)], PROMPTS)


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

"""Image rows and label rows of the same samples → the columns of a config."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataset_dm.labels.provenance import PROVENANCE, Provenance
from dataset_dm.labels.records import arrow_schema
from dataset_dm.labels.vocabulary import BACKGROUND
from dataset_dm.rows.facts import objects_trust, one_array
from dataset_dm.store.schema import PROMPTS


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
        provenance: of any row; fields that differ between rows come from `images`.
    """
    return assemble_as(arrow_schema(dict(plain)), classes, images, labels, provenance)


def assemble_as(
    schema: pa.Schema, classes: Sequence[str], images: pa.Table, labels: pa.Table, provenance: Provenance
) -> pa.Table:
    """As `assemble`, with the Arrow schema of the columns."""
    drawn, read = _arrays(images), _arrays(labels)
    columns = {
        "image_id": drawn["index"],
        **{name: drawn[name] for name in ("image", "width", "height", "prompt")},
        **{name: read[name] for name in ("label", "classes", "annotation")},
        "depth_map": read["depth"],
        "quality": _quality(labels, read),
        "provenance": _provenance(provenance, drawn, images.num_rows),
    }
    kinds = dict(zip(schema.names, schema.types, strict=True))
    if "objects" in kinds:
        columns["objects"] = _fields(read["objects"], kinds["objects"])
        ids = {name: number for number, name in enumerate((BACKGROUND, *classes))}
        columns["semantic_class_to_id"] = pa.array([ids] * images.num_rows, kinds["semantic_class_to_id"])
    return pa.Table.from_arrays([_cast(columns[name], kind) for name, kind in kinds.items()], schema=schema)


def shown_classes(table: pa.Table) -> list[list[int]]:
    """For every row the ids of its classes (0 is background), by its label, else by its objects; [] without both."""
    if "classes" in table.column_names:
        return [ids or [] for ids in table.column("classes").to_pylist()]
    if "objects" not in table.column_names:
        return [[]] * table.num_rows
    categories = pc.struct_field(one_array(table.column("objects")), "category").to_pylist()
    return [sorted({category + 1 for category in row}) for row in categories]


def _quality(labels: pa.Table, read: Mapping[str, pa.Array]) -> pa.StructArray:
    trust = objects_trust(labels)
    columns = {name: read[name] for name in ("confidence", "uncertain", "presence")}
    for name in ("object_confidence", "keypoint_confidence"):
        columns[name] = pa.array(trust[name], pa.float32())
    columns.update({name: read[name] for name in ("depth_confidence", "agreement")})
    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))


def _provenance(constant: Provenance, drawn: Mapping[str, pa.Array], rows: int) -> pa.StructArray:
    own = {} if "requested" not in drawn else {"prompts": _prompts(drawn, rows)}
    given = ("index", "seed", "attempt", "width", "height", "seeds", "prompts")
    own.update({name: drawn[name] for name in given if name in drawn})
    fields = _fields_of_provenance()
    own = {name: _cast(column, fields[name].type) for name, column in own.items()}
    arrays = {**_constant(constant, rows), **own}
    return pa.StructArray.from_arrays(list(arrays.values()), fields=list(fields.values()))


@functools.lru_cache(maxsize=16)
def _constant(constant: Provenance, rows: int) -> dict[str, pa.Array]:
    """The equal fields of this many rows. Cached: called once per shard."""
    # repeat() fails for no rows
    fields = _fields_of_provenance().items()
    return {name: pa.array([getattr(constant, name)] * rows, entry.type) for name, entry in fields}


@functools.lru_cache(maxsize=1)
def _fields_of_provenance() -> dict[str, pa.Field]:
    return {entry.name: entry for entry in arrow_schema({"provenance": PROVENANCE}).field("provenance").type}


def _prompts(drawn: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """The one prompt of every sample with its classes."""
    each = PROMPTS.value_type
    prompts = pa.StructArray.from_arrays([drawn["prompt"], drawn["requested"]], fields=list(each))
    return pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), prompts, type=PROMPTS)


def _fields(array: pa.Array, kind: pa.StructType) -> pa.StructArray:
    """The fields of a struct column that `kind` names, in its order."""
    names = [entry.name for entry in kind]
    return pa.StructArray.from_arrays([pc.struct_field(array, name) for name in names], names=names)


def _arrays(table: pa.Table) -> dict[str, pa.Array]:
    return {name: one_array(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array if array.type == kind else array.cast(kind)

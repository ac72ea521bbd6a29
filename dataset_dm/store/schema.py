"""The columns of stored shards: image rows as drawn, label rows as read; both in index order."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Literal

import pyarrow as pa

from dataset_dm.labels.tasks import unfilled_columns

_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
IMAGE_ROWS = pa.schema(
    [
        ("index", pa.int64()),
        ("attempt", pa.int32()),
        ("seed", pa.int64()),
        ("prompt", pa.string()),
        ("requested", pa.list_(pa.string())),
        ("image", _IMAGE),
        ("latents", pa.binary()),
        ("latents_dtype", pa.string()),
        ("latents_shape", pa.list_(pa.int32())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("unsafe", pa.bool_()),
        # why no set shows the image; shards of earlier versions have `unsafe` instead, see `unusable`
        ("unusable", pa.string()),
    ]
)
# the prompts of a row, one a sample, as provenance has them
PROMPTS = pa.list_(pa.struct([("text", pa.string()), ("classes", pa.list_(pa.string()))]))
_NUMBERS = pa.list_(pa.float32())
# The objects of one image as the columns have them, see `records.object_features`; a set may leave fields out.
OBJECTS = pa.struct(
    [
        ("id", pa.list_(pa.int64())),
        ("area", pa.list_(pa.int64())),
        ("bbox", pa.list_(_NUMBERS)),
        ("category", pa.list_(pa.int64())),
        ("iscrowd", pa.list_(pa.int8())),
        ("segmentation", pa.list_(pa.struct([("size", pa.list_(pa.int32())), ("counts", pa.string())]))),
        ("score", _NUMBERS),
        ("keypoints", pa.list_(pa.list_(_NUMBERS))),
        ("num_keypoints", pa.list_(pa.int32())),
        ("keypoint_score", pa.list_(_NUMBERS)),
    ]
)
# `label` is 255 where confidence is low, `full` is the same without void; `classes` are the ids in `label`, or those of
# the objects where there is no label; columns of other tasks than the plan's are null and not stored, see `completed`
LABEL_ROWS = pa.schema(
    [
        ("index", pa.int64()),
        ("label", _IMAGE),
        ("full", _IMAGE),
        ("classes", pa.list_(pa.int64())),
        ("presence", _NUMBERS),
        ("confidence", pa.float32()),
        ("uncertain", pa.float32()),
        ("objects", OBJECTS),
        ("annotation", _IMAGE),
        ("depth", _IMAGE),
        ("depth_confidence", pa.float32()),
        # of several annotators; shards of earlier versions lack it, which means the same as null
        ("agreement", _NUMBERS),
    ]
)
# columns that shards of earlier versions lack
_LATER = {"agreement", "unusable"}


def differing_columns(found: pa.Schema, expected: pa.Schema, optional: Collection[str] = ()) -> list[str]:
    """Names of the columns by which a file's schema is not the expected one, or that of an earlier version.

    Those that are `optional` may be absent.
    """
    if found.equals(expected):  # the usual case, decided fast
        return []
    stored = {field.name: field.type for field in found}
    wanted = {field.name: field.type for field in expected}
    differing = {name for name in {*stored, *wanted} if stored.get(name) != wanted.get(name)}
    return sorted(differing - ({*_LATER, *optional} - set(stored)))


@functools.lru_cache(maxsize=16)
def expected_columns(kind: Literal["images", "labels"], names: tuple[str, ...] | None) -> pa.Schema:
    """The schema of stored rows, or of those columns of it, in its own order."""
    schema = IMAGE_ROWS if kind == "images" else LABEL_ROWS
    return schema if names is None else pa.schema([one for one in schema if one.name in names])


def stored_columns(tasks: Collection[str]) -> list[str]:
    """The columns of label rows that a shard of these tasks holds, in order."""
    unfilled = unfilled_columns(tasks)
    return [name for name in LABEL_ROWS.names if name not in unfilled]


def completed(labels: pa.Table) -> pa.Table:
    """Stored label rows with the columns of LABEL_ROWS: missing ones are null."""
    columns = dict(zip(labels.column_names, labels.columns, strict=True))
    lacking = frozenset(LABEL_ROWS.names).difference(columns)
    columns.update(_nulls(labels.num_rows, lacking))
    return pa.Table.from_arrays([columns[name] for name in LABEL_ROWS.names], schema=LABEL_ROWS)


@functools.lru_cache(maxsize=64)
def _nulls(rows: int, names: frozenset[str]) -> dict[str, pa.Array]:
    """Null columns; cached, since a stream needs them for every shard."""
    return {name: pa.nulls(rows, LABEL_ROWS.field(name).type) for name in names}


def unusable(images: pa.Table) -> list[str | None]:
    """For each image row why no set shows it ("unsafe", "not_finite", "constant"), None for a usable one."""
    flags = images.column("unsafe").to_pylist()
    reasons = images.column("unusable").to_pylist() if "unusable" in images.column_names else [None] * len(flags)
    return [why or ("unsafe" if flagged else None) for why, flagged in zip(reasons, flags, strict=True)]

"""Counts for a card, from small columns: no image is decoded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datasets import DatasetInfo

# field of the quality column → its name and format on the card
QUALITY = {
    "confidence": ("mean confidence", "{:.3f}"),
    "uncertain": ("void pixels (255)", "{:.1%}"),
    "object_confidence": ("mean score of objects", "{:.3f}"),
    "keypoint_confidence": ("mean score of keypoints", "{:.3f}"),
    "depth_confidence": ("mean confidence of depth", "{:.3f}"),
}
_IDS = {"classes": "classes", "objects": "objects.category"}  # column → the path of its class ids
EXAMPLES = 8  # prompts shown on a card
_REVIEWED = re.compile(r"reviewed:[\w-]*:")  # prefix of the annotator of a reviewed row, one for each review


class Annotator(NamedTuple):
    """The annotator of a set: its reference (`id` or `id@revision`), and its hash at that time."""

    reference: str
    hash: str | None


def id_names(info: DatasetInfo, classes: Sequence[str]) -> Sequence[str]:
    """Names of the ids in column `classes`: those of its ClassLabel, else `classes`."""
    return getattr(getattr(info.features.get("classes"), "feature", None), "names", classes)


def statistics(splits: Mapping[str, Sequence[Path]], classes: Sequence[str]) -> dict[str, Any]:
    """Rows by class, means of the quality fields, the first different prompts, annotator, number of reviewed rows.

    Args:
        splits: split → its parquet files.
        classes: names of the ids in the class column.
    """
    import pyarrow.parquet as pq

    from dataset_dm.rows.columns import shown_classes

    shown: Counter[str] = Counter()
    totals: dict[str, tuple[float, int]] = {}
    prompts: dict[str, None] = {}
    annotator, reviewed = None, 0
    for file in (file for files in splits.values() for file in files):
        reader = pq.ParquetFile(file)
        there = reader.schema_arrow.names
        annotator = annotator or _annotator(reader)
        reviewed += _reviewed(reader)
        ids = [path for name, path in _IDS.items() if name in there]
        if ids:
            for row in shown_classes(reader.read(columns=ids)):
                shown.update({_class_name(one, classes) for one in row})
        if "quality" in there:
            totals = _added(totals, reader)
        if "prompt" in there:
            _collect(prompts, reader)
    figures = {
        title: shape.format(totals[name][0] / totals[name][1])
        for name, (title, shape) in QUALITY.items()
        if totals.get(name, (0, 0))[1]
    }
    return {
        "classes": shown,
        "figures": figures,
        "prompts": list(prompts),
        "annotator": annotator,
        "reviewed": reviewed,
    }


def _added(totals: Mapping[str, tuple[float, int]], reader: Any) -> dict[str, tuple[float, int]]:
    """`totals` (sum and count of every quality field) with those of a file added; null values do not count."""
    import pyarrow.compute as pc

    fields = {entry.name for entry in reader.schema_arrow.field("quality").type}
    table = reader.read(columns=[f"quality.{name}" for name in QUALITY if name in fields])
    added = dict(totals)
    for name in (name for name in QUALITY if name in fields):
        values = pc.struct_field(table.column("quality"), name)
        total, number = totals.get(name, (0.0, 0))
        added[name] = total + (pc.sum(values).as_py() or 0.0), number + pc.count(values).as_py()
    return added


def _collect(prompts: dict[str, None], reader: Any) -> None:
    """Add the first new prompts of a file, reading no more row groups than needed."""
    for group in range(reader.num_row_groups):
        if len(prompts) >= EXAMPLES:
            return
        for prompt in reader.read_row_group(group, columns=["prompt"]).column("prompt").unique().to_pylist():
            if prompt and len(prompts) < EXAMPLES:
                prompts.setdefault(prompt)


def _class_name(value: int | str, classes: Sequence[str]) -> str:
    return value if isinstance(value, str) else classes[value] if 0 <= value < len(classes) else str(value)


def _reviewed(reader: Any) -> int:
    """Number of reviewed rows, as noted by the import of corrections."""
    import pyarrow.compute as pc

    if "provenance" not in reader.schema_arrow.names:
        return 0
    names = pc.struct_field(reader.read(columns=["provenance.annotator"]).column("provenance"), "annotator")
    return sum(
        entry["counts"] for entry in pc.value_counts(names).to_pylist() if _REVIEWED.match(entry["values"] or "")
    )


def _annotator(reader: Any) -> Annotator | None:
    """The annotator of the file's rows; it is the same for all, reviewed ones included."""
    if "provenance" not in reader.schema_arrow.names or not reader.metadata.num_rows:
        return None
    paths = [f"provenance.{name}" for name in ("annotator", "annotator_revision", "annotator_hash")]
    source = reader.read_row_group(0, columns=paths).column("provenance")[0].as_py() or {}
    if not source.get("annotator"):
        return None
    revision = source.get("annotator_revision")
    name = source["annotator"]
    while found := _REVIEWED.match(name):
        name = name[found.end() :]
    return Annotator(f"{name}@{revision}" if revision else name, source.get("annotator_hash"))

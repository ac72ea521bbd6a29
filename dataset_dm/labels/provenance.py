"""Where a row comes from: everything that makes its image and its labels again, without the plan or the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dataset_dm.arguments.declare import entries, with_arguments
from dataset_dm.arguments.table import SamplerArguments, SetArguments

# arguments that every row keeps → the type of their column, from the tables that declare them
KEPT: dict[str, str | Mapping[str, Any]] = {
    name: entry.argument.column
    for table in (SetArguments, SamplerArguments)
    for name, entry in entries(table).items()
    if entry.argument.column is not None
}


def _column(column: str | Mapping[str, Any], default: Any = ...) -> Any:
    """A field of a row that is no argument, with the type of its column."""
    metadata = {"column": column}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


def _many(dtype: str) -> dict[str, Any]:
    return {"feature": {"dtype": dtype, "_type": "Value"}, "_type": "Sequence"}


# a list, not a Sequence: older versions would turn a Sequence of a dict into a dict of lists
_PROMPTS: Any = [{"text": {"dtype": "string", "_type": "Value"}, "classes": _many("string")}]


@dataclass(frozen=True, slots=True, kw_only=True)
@with_arguments(*KEPT, of=(SetArguments, SamplerArguments), default=None)
class Provenance:
    """Everything that makes a row again; `generation.reproduce` does it. What sets of earlier versions lack is None.

    The order is that of the stored columns; those of arguments that are declared later follow (`SetArguments`).

    Args:
        index, split: of the row.
        seed, attempt: of the sample, of a mosaic's first tile; the seed decides the noise of image and labels.
        generator, revision, generator_hash, adapter, adapter_hash, annotator, annotator_revision, annotator_hash,
            steps, guidance, scheduler, dtype: as in `plan.generation_plan.GenerationPlan`.
        width, height: of the image in pixels.
        splice: "2x2", rows by columns of a mosaic, else None.
        seeds: of a mosaic's tiles in reading order, else None.
        prompts: of every sample in reading order (one, or a mosaic's tiles), {"text": …, "classes": […]}; classes as in
            `records.Prompt`.
        batch_size: samples that were drawn together, unless the device had too little memory or the sample is a later
            attempt of a round; its place in the batch is its index modulo this.
        tasks: the kinds of labels that were read together.
        classes: the names that were labelled, without background.
        min_score: objects with a lower score were left out; None if none were.
        image_version, label_version: `IMAGE_VERSION` and `LABEL_VERSION` of `plan.generation_plan` when it was made.
    """

    index: int = _column("int64")
    split: str = _column("string")
    seed: int = _column("int64")
    attempt: int = _column("int32")
    generator: str
    revision: str | None = _column("string")
    generator_hash: str = _column("string")
    adapter: str | None
    annotator: str
    annotator_revision: str | None = _column("string")
    annotator_hash: str = _column("string")
    steps: int
    guidance: float | None
    scheduler: str | None
    width: int = _column("int32")
    height: int = _column("int32")
    dtype: str
    splice: str | None = None
    seeds: tuple[int, ...] | None = _column(_many("int64"), None)
    prompts: tuple[dict[str, Any], ...] | None = _column(_PROMPTS, None)
    adapter_hash: str | None = _column("string", None)
    batch_size: int | None = None
    tasks: tuple[str, ...] | None = _column(_many("string"), None)
    classes: tuple[str, ...] | None = None
    min_score: float | None = _column("float64", None)
    image_version: int | None = _column("int32", None)
    label_version: int | None = _column("int32", None)


def _feature(column: Any) -> Any:
    return {"dtype": column, "_type": "Value"} if isinstance(column, str) else column


# the column, spelt as in `records`
PROVENANCE: dict[str, Any] = {
    one.name: _feature(one.metadata.get("column") or KEPT[one.name]) for one in fields(Provenance)
}

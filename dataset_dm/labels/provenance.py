"""Where a row comes from: everything that makes its image and its labels again, without the plan or the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything that makes a row again; `remake.remake` does it. What sets of earlier versions lack is None.

    Args:
        index, split: of the row.
        seed, attempt: of the sample, of a mosaic's first tile; the seed decides the noise of image and labels.
        generator, revision, generator_hash, adapter, adapter_hash, annotator, annotator_revision, annotator_hash,
            steps, guidance, scheduler, dtype: as in `plan.GenerationPlan`.
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
        image_version, label_version: `plan.IMAGE_VERSION` and `plan.LABEL_VERSION` of the package that made it.
    """

    index: int
    split: str
    seed: int
    attempt: int
    generator: str
    revision: str | None
    generator_hash: str
    adapter: str | None
    annotator: str
    annotator_revision: str | None
    annotator_hash: str
    steps: int
    guidance: float | None
    scheduler: str | None
    width: int
    height: int
    dtype: str
    splice: str | None = None
    seeds: tuple[int, ...] | None = None
    prompts: tuple[dict[str, Any], ...] | None = None
    adapter_hash: str | None = None
    batch_size: int | None = None
    tasks: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    min_score: float | None = None
    image_version: int | None = None
    label_version: int | None = None


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _many(dtype: str) -> dict[str, Any]:
    return {"feature": _value(dtype), "_type": "Sequence"}


# the column, spelt as in `records`
PROVENANCE: dict[str, Any] = {
    "index": _value("int64"),
    "split": _value("string"),
    "seed": _value("int64"),
    "attempt": _value("int32"),
    "generator": _value("string"),
    "revision": _value("string"),
    "generator_hash": _value("string"),
    "adapter": _value("string"),
    "annotator": _value("string"),
    "annotator_revision": _value("string"),
    "annotator_hash": _value("string"),
    "steps": _value("int32"),
    "guidance": _value("float64"),
    "scheduler": _value("string"),
    "width": _value("int32"),
    "height": _value("int32"),
    "dtype": _value("string"),
    "splice": _value("string"),
    "seeds": _many("int64"),
    # a list, not a Sequence: older versions would turn a Sequence of a dict into a dict of lists
    "prompts": [{"text": _value("string"), "classes": _many("string")}],
    "adapter_hash": _value("string"),
    "batch_size": _value("int32"),
    "tasks": _many("string"),
    "classes": _many("string"),
    "min_score": _value("float64"),
    "image_version": _value("int32"),
    "label_version": _value("int32"),
}

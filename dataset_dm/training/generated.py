"""A generated set as labelled images: reads the shard store for a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataset_dm.errors import DataError, explain
from dataset_dm.labels.classes import asked_positions
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.records import semantic_features
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.rows.filters import from_dict
from dataset_dm.rows.reader import Rows
from dataset_dm.store.plans import read, stores


@dataclass(frozen=True)
class GeneratedSet(Sequence[LabelledImage]):
    """Images with class maps, kept as PNG until one is decoded.

    Args:
        classes: names without background.
        images, labels: PNG bytes; labels as stored, with 255 where the annotator was not confident.
        named: for each image the positions in `classes` that its prompt names; empty where it names none.
    """

    classes: tuple[str, ...]
    images: tuple[bytes, ...]
    labels: tuple[bytes, ...]
    named: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> LabelledImage:  # type: ignore[override]
        label = decode_png(self.labels[position])
        return LabelledImage(f"sample {position}", decode_png(self.images[position]), label)

    def part(self, positions: Sequence[int]) -> GeneratedSet:
        """The images at these positions."""
        columns = (self.images, self.labels, self.named)
        return GeneratedSet(self.classes, *(tuple(column[i] for i in positions) for column in columns))


def read_generated(
    plan: GenerationPlan, split: str, count: int, filters: Mapping[str, Any] | None = None
) -> GeneratedSet:
    """The first `count` rows of a split that the store holds, less those that a filter drops; mosaics as their samples.

    Raises DataError when nothing is left, StoreError when a shard is absent.
    """
    single = replace(plan, splice=None)
    samples = count * plan.samples_per_row
    rows = Rows(single, semantic_features, from_dict(filters, [SEMANTIC.name]))
    found = [
        row
        for shard in single.shards(samples)
        for row in rows.table(split, samples, *read(plan, *stores(plan), split, shard)).to_pylist()
    ]
    if not found:
        reasons = ", ".join(f"{reason} {number}" for reason, number in rows.dropped.items())
        what = f"split {split}: none of {samples} samples can be trained on ({reasons})"
        raise DataError(explain(what, remedy="loosen the filters or make more images"))
    return GeneratedSet(
        plan.classes,
        tuple(row["image"]["bytes"] for row in found),
        tuple(row["label"]["bytes"] for row in found),
        tuple(tuple(asked_positions(plan.prompt(split, row["provenance"]["index"]), plan.classes)) for row in found),
    )

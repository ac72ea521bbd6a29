"""Stored shards → rows of a dataset: joined by index, filtered, with their provenance.

No image is encoded again, unless rows are mosaics.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pyarrow as pa

from dataset_dm.labels.provenance import KEPT, Provenance
from dataset_dm.labels.records import arrow_schema
from dataset_dm.plan.generation_plan import IMAGE_VERSION, LABEL_VERSION, GenerationPlan, in_round
from dataset_dm.rows.columns import assemble_as
from dataset_dm.rows.facts import row_facts
from dataset_dm.rows.filters import Drop, Filter, min_score
from dataset_dm.rows.splice_rows import mosaics
from dataset_dm.store.label_codec import without_low_scores
from dataset_dm.store.schema import LABEL_ROWS

Features = Callable[[Sequence[str]], dict[str, Any]]

# the image rows and label rows of the same samples in the round with that number
Again = Callable[[int], tuple[pa.Table, pa.Table]]
# most sampling attempts for a row that a filter drops, the first one included
ROUNDS = 6


@dataclass(slots=True)
class Rows:
    """Turns the shards of one plan into tables of a config's columns; counts and lists the rows that it leaves out.

    Args:
        plan: that of the shards.
        features: class names → columns, as in `catalogue.Recipe`.
        filters: each keeps a row or returns a reason to drop it.
        resample: a row that a filter drops is replaced by the same row of the next round, up to ROUNDS rounds.
        excluded: near-duplicates by the split's stored name (see `plan.in_round`) and the sample's index → reason.
            They are left out after the filters, and are not resampled.

    Attributes:
        dropped: reason → rows left out.
        listed: split → reason → indices of the rows left out.
        dropped_objects: reason → objects left out of rows that stay.
    """

    plan: GenerationPlan
    features: Features
    filters: Sequence[Filter] = ()
    resample: bool = False
    excluded: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    listed: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    dropped_objects: Counter[str] = field(default_factory=Counter)

    @property
    def schema(self) -> pa.Schema:
        """Columns with the metadata that plain `load_dataset` reads."""
        return _schema(self.features, self.plan.classes)

    def table(self, split: str, count: int, images: pa.Table, labels: pa.Table, again: Again | None = None) -> pa.Table:
        """The rows that stay of those with an index below `count`, in index order.

        Args:
            images, labels: samples of one shard or of one batch of it, with the same indices; of a plan that splices,
                as many as fill whole mosaics.
            again: returns the same samples of a later round; required by `resample`.
        """
        found = self._judged(split, count, images, labels)
        if self.resample and again is not None:
            found = self._resampled(found, split, count, again)
        excluded = {name: self._excluded(name) for name in set(found.names)}
        kept = []
        for position, (index, name) in enumerate(zip(found.indices, found.names, strict=True)):
            reason = found.reasons[position] or excluded[name].get(index)
            if reason is None:
                kept.append(position)
                if found.lost[position]:
                    self.dropped_objects.update(found.lost[position])
            else:
                self.dropped[reason] += 1
                self.listed.setdefault(split, {}).setdefault(reason, []).append(index)
        images, labels = _some(found.images, kept), _some(found.labels, kept)
        return assemble_as(self.schema, self.plan.classes, images, labels, self._provenance(split))

    def failing(self, split: str, count: int, images: pa.Table, labels: pa.Table) -> set[int]:
        """Indices below `count` of the rows that a filter drops in one round; does not change the counts.

        Unless rows are mosaics, only the columns index, unsafe and unusable of `images` are read.
        """
        found = self._judged(split, count, images, labels)
        return {index for index, reason in zip(found.indices, found.reasons, strict=True) if reason is not None}

    def _judged(self, name: str, count: int, images: pa.Table, labels: pa.Table) -> _Judged:
        """The rows of one round with an index below `count`; `name` is the round's."""
        if images.column("index").to_pylist() != labels.column("index").to_pylist():
            raise AssertionError("image rows and label rows of a shard differ in their indices")
        lost: list[list[str]] = [[] for _ in range(images.num_rows)]
        if self.plan.splice is not None:
            images, labels, lost = mosaics(images, labels, self.plan.splice)
        images, labels, lost = _first(count, images, labels, lost)
        labels, lost = self._without_low_scores(labels, lost)
        reasons = [self._verdict(row) for row in row_facts(self.plan, name, images, labels)]
        indices = images.column("index").to_pylist()
        return _Judged(images, labels, lost, reasons, indices, [name] * len(indices))

    def _verdict(self, row: Mapping[str, Any]) -> str | None:
        drop = next((verdict for keep in self.filters if isinstance(verdict := keep(row), Drop)), None)
        return None if drop is None else drop.reason

    def _resampled(self, found: _Judged, split: str, count: int, again: Again) -> _Judged:
        """Every row in the first round in which it passes, else in the last one."""
        for number in range(1, ROUNDS):
            failed = [position for position, reason in enumerate(found.reasons) if reason is not None]
            if not failed:
                break
            found = found.replaced(failed, self._judged(in_round(split, number), count, *again(number)))
        return found

    def _excluded(self, name: str) -> Mapping[int, str]:
        """Row → reason, of one round; a mosaic with an excluded tile is excluded."""
        samples, tiles = self.excluded.get(name, {}), self.plan.samples_per_row
        return samples if tiles == 1 else {index // tiles: reason for index, reason in samples.items()}

    def _without_low_scores(self, labels: pa.Table, lost: list[list[str]]) -> tuple[pa.Table, list[list[str]]]:
        """(label rows without objects below the least score, reasons of lost objects), unchanged without `MinScore`."""
        least = min_score(self.filters)
        if least <= 0:
            return labels, lost
        changed = [without_low_scores(row, least) for row in labels.to_pylist()]
        lost = [[*before, *["low_score"] * number] for before, (_, number) in zip(lost, changed, strict=True)]
        return pa.Table.from_pylist([row for row, _ in changed], schema=LABEL_ROWS), lost

    def _provenance(self, split: str) -> Provenance:
        plan = self.plan
        kept = {name: getattr(plan, name) for name in KEPT}
        return Provenance(
            **{**kept, "splice": None if plan.splice is None else f"{plan.splice[0]}x{plan.splice[1]}"},
            index=0,
            split=split,
            seed=0,
            attempt=0,
            revision=plan.generator_revision,
            generator_hash=plan.generator_hash,
            annotator_revision=plan.annotator_revision,
            annotator_hash=plan.annotator_hash,
            width=0,
            height=0,
            adapter_hash=plan.adapter_hash,
            tasks=plan.tasks,
            min_score=min_score(self.filters) or None,
            image_version=IMAGE_VERSION,
            label_version=LABEL_VERSION,
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Rows with the filters' verdicts; all lists are aligned.

    Args:
        images, labels: of all rows.
        lost: reasons of each row's lost objects.
        reasons: why a filter drops the row, or None.
        indices: of the rows.
        names: of the rounds that they come from.
    """

    images: pa.Table
    labels: pa.Table
    lost: list[list[str]]
    reasons: list[str | None]
    indices: list[int]
    names: list[str]

    def replaced(self, positions: Sequence[int], later: _Judged) -> _Judged:
        """The same rows, those at `positions` out of a later round."""
        count = len(self.indices)
        source = [count + position if position in positions else position for position in range(count)]
        taken = pa.array(source, pa.int64())

        def joined(old: Any, new: Any) -> Any:
            if isinstance(old, pa.Table):  # shards of earlier versions lack columns
                return pa.concat_tables([old, new], promote_options="default").take(taken)
            return [[*old, *new][at] for at in source]

        return _Judged(*(joined(getattr(self, part.name), getattr(later, part.name)) for part in fields(self)))


def _first(
    count: int, images: pa.Table, labels: pa.Table, lost: list[list[str]]
) -> tuple[pa.Table, pa.Table, list[list[str]]]:
    """The samples with an index below `count`."""
    wanted = [position for position, index in enumerate(images.column("index").to_pylist()) if index < count]
    return _some(images, wanted), _some(labels, wanted), [lost[position] for position in wanted]


def _some(table: pa.Table, positions: Sequence[int]) -> pa.Table:
    """The rows at these positions, in order; no copy when these are all rows."""
    return table if len(positions) == table.num_rows else table.take(pa.array(positions, pa.int64()))


@functools.lru_cache(maxsize=16)
def _schema(features: Features, classes: tuple[str, ...]) -> pa.Schema:
    """Cached: called once per shard."""
    return arrow_schema(features(classes))

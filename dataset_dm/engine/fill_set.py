"""Fills the store with a set, later rounds included, under progress bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataset_dm.engine.engine import Engine
from dataset_dm.engine.progress import bar
from dataset_dm.engine.resample import later_rounds
from dataset_dm.engine.work import pending

if TYPE_CHECKING:
    from dataset_dm.rows.reader import Rows


def fill_set(engine: Engine, counts: Mapping[str, int], rows: Rows | None = None, *, kind: Any = None) -> int:
    """Makes what is missing of a set; returns the number of shards made here. The store is listed once.

    Args:
        engine: of the set's plan.
        counts: split → rows.
        rows: if they resample, the later rounds that they need are made too.
        kind: class of the progress bars, see `progress.bar`.
    """
    work, size = pending(engine.plan, counts, engine.overwrite), engine.plan.shard_size
    if work:
        with bar(len(work) * size, " images", "generating images and labels", kind=kind) as shown:
            made = engine.fill(counts, shown.update, work=work)
    else:
        made = engine.fill(counts, work=work)
    for needed in () if rows is None else later_rounds(engine, rows, counts):
        with bar(len(needed) * size, " images", "resampling dropped rows", kind=kind) as shown:
            made += engine.complete(needed, shown.update)
    return made

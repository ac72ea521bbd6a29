"""Later rounds of a set: drawn where a filter drops rows and the set shall have them all the same.

A round of a shard holds the next attempts of all its samples, and is made and stored like any shard. So its bytes
depend on the plan alone, whatever filters, engine, counts or order; the filters only choose among rounds, on reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dataset_dm.engine.work import Work
from dataset_dm.plan.generation_plan import in_round
from dataset_dm.store.plans import Rows as Made

if TYPE_CHECKING:
    from dataset_dm.engine.engine import Engine
    from dataset_dm.rows.reader import Again, Rows

# what a verdict needs of an image row; mosaics are laid out first, from all of it
_JUDGED = ("index", "unsafe", "unusable")


def later_rounds(engine: Engine, rows: Rows, counts: Mapping[str, int]) -> Iterator[list[Work]]:
    """The shards of each further round that are needed and not there (all of them when the engine overwrites).

    They must be made (`Engine.complete`) before the next item is asked for. Nothing when `rows` do not resample.
    """
    from dataset_dm.rows.reader import ROUNDS

    if not rows.resample:
        return
    plan = engine.plan
    waiting: dict[tuple[str, int], set[int] | None] = {
        (split, shard): None for split, count in counts.items() for shard in plan.shards(count)
    }
    for number in range(ROUNDS - 1):
        failing = {}
        for (split, shard), before in waiting.items():
            found = rows.failing(in_round(split, number), counts[split], *_judged(engine, split, number, shard))
            left = found if before is None else before & found
            if left:
                failing[split, shard] = left
        if not failing:
            return
        needed = [(in_round(split, number + 1), shard) for split, shard in failing]
        work = [Work(name, shard, draw=not engine.images.has(name, shard)) for name, shard in needed]
        work = [one for one in work if engine.overwrite or one.draw or not engine.labels.has(one.split, one.shard)]
        if work:
            yield work
        waiting = failing


def again(engine: Engine, split: str, shard: int) -> Again:
    """Gives `Rows.table` a shard's later rounds; one that is missing is made."""

    def rows(number: int) -> Made:
        return whole(engine.rows(Work(in_round(split, number), shard, draw=True)))

    return rows


def whole(parts: Iterator[Made]) -> Made:
    """The batches of a shard as one."""
    import pyarrow as pa

    images, labels = zip(*parts, strict=True)
    return pa.concat_tables(images), pa.concat_tables(labels)


def _judged(engine: Engine, split: str, number: int, shard: int) -> Made:
    from dataset_dm.store.schema import completed, stored_columns

    name = in_round(split, number)
    if engine.plan.splice is not None:
        return engine.read(name, shard)
    labels = engine.labels.rows(name, shard, stored_columns(engine.plan.tasks))
    return engine.images.rows(name, shard, _JUDGED), completed(labels)

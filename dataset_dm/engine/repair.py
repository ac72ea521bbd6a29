"""Makes bad shards again."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_dm.engine.engine import Engine
from dataset_dm.engine.work import Work
from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.plans import Report
from dataset_dm.store.verify import Fault


def repair(stored: StoredPlan, faults: Sequence[Fault], *, device: str = "auto", report: Report | None = None) -> int:
    """Makes bad shards again; returns their number. Labels of good images are made without drawing the images.

    A bad file stays until its successor is published over it.
    """
    drawn = {(fault.split, fault.shard) for fault in faults if fault.kind == "images"}
    read = {(fault.split, fault.shard) for fault in faults} - drawn
    work = [Work(split, shard, draw=True, redo=True) for split, shard in sorted(drawn)]
    work += [Work(split, shard, draw=False, redo=True) for split, shard in sorted(read)]
    with Engine(stored.plan, device=device) as engine:
        return engine.complete(work, report)

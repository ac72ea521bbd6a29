"""The progress of a plan: shards done and missing, rate, time left, time by stage, bytes on the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_dm.errors import StoreError
from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.shards import ShardRecord

# The rate is that of the latest run: a pause of so many times a shard's usual duration ends a run.
_PAUSE = 10
_LEAST_PAUSE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitState:
    """One split: requested rows (None if unknown), finished shards, missing shards."""

    wanted: int | None
    done: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The state of one plan.

    Args:
        splits: by name.
        samples: samples of the shards that are done.
        image_bytes, label_bytes: on the disk.
        rate: samples a second of the latest run; None if unknown.
        eta: seconds until nothing is missing at that rate; None if unknown.
        stages: stage → seconds, of all shards together.
        dropped: drop reason → samples.
        marked: shards made with a halved batch.
        making: shards in the making, as "train-17".
        running: runs that have the plan in use.
        last: when the latest shard was finished, seconds of the epoch.
    """

    splits: Mapping[str, SplitState]
    samples: int
    image_bytes: int
    label_bytes: int
    rate: float | None
    eta: float | None
    stages: Mapping[str, float]
    dropped: Mapping[str, int]
    marked: int
    making: Sequence[str]
    running: int
    last: float | None


def survey(stored: StoredPlan) -> Survey:
    """The state of a plan from all its records; raises StoreError for a manifest that cannot be used."""
    plan, wanted = stored.plan, stored.manifest.get("wanted", {})
    sizes: Counter[str] = Counter()
    records: list[ShardRecord] = []
    splits: dict[str, SplitState] = {}
    marked, dropped, stages = set(), Counter[str](), Counter[str]()
    for split in sorted({*wanted, *(name for store in stored.parts for name in store.splits())}):
        whole: set[int] | None = None
        for store in stored.parts:
            there = store.finished(split)
            whole = set(there) if whole is None else whole & set(there)
            sizes[store.kind] += sum(there.values())
            for shard in there:
                record = store.record(split, shard)
                if record is None:
                    continue
                dropped.update(record.dropped)
                stages.update(record.seconds)
                if "halved_batch" in record.made:
                    marked.add((split, shard))
                if store is stored.parts[-1]:
                    records.append(record)
        done = whole or set()
        missing = set(plan.shards(wanted[split])) - done if split in wanted else set()
        splits[split] = SplitState(wanted=wanted.get(split), done=len(done), missing=len(missing))
    rate = pace(records)
    left = sum(state.missing for state in splits.values()) * plan.shard_size
    held = _held(stored)
    return Survey(
        splits=splits,
        samples=sum(state.done for state in splits.values()) * plan.shard_size,
        image_bytes=sizes["images"],
        label_bytes=sizes["labels"],
        rate=rate,
        eta=left / rate if rate else None,
        stages=dict(stages),
        dropped=dict(dropped),
        marked=len(marked),
        making=[name for name in held if not name.startswith("run-")],
        running=len([name for name in held if name.startswith("run-")]),
        last=max((record.finished for record in records), default=None),
    )


def _held(stored: StoredPlan) -> list[str]:
    """Names of held locks; [] for a read-only store, where this is unknown."""
    try:
        return stored.held()
    except StoreError:
        return []


def pace(records: Sequence[ShardRecord]) -> float | None:
    """Samples a second of the latest run, of all its makers together; None if the records' clocks do not allow it."""
    ordered = sorted((record for record in records if record.seconds), key=lambda record: record.finished)
    if not ordered:
        return None
    usual = sorted(sum(record.seconds.values()) for record in ordered)[len(ordered) // 2]
    pause = max(_LEAST_PAUSE, _PAUSE * usual)
    run = [ordered[-1]]
    for record in reversed(ordered[:-1]):
        if run[-1].finished - record.finished > pause:
            break
        run.append(record)
    # from the start of its first shard: that took about as long as the account of its stages says
    span = run[0].finished - run[-1].finished + sum(run[-1].seconds.values())
    return sum(record.rows for record in run) / span if span > 0 else None

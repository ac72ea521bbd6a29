"""`dataset-dm status [DIR]`: finished and missing shards, rate, time left, time by stage, disk space."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dataset_dm.errors import StoreError

if TYPE_CHECKING:
    from dataset_dm.store.inventory import StoredPlan
    from dataset_dm.store.status import Survey

_UNITS = ((2**40, "TB"), (2**30, "GB"), (2**20, "MB"), (2**10, "KB"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, plan or store."""
    parser.add_argument(
        "place",
        metavar="DIR",
        nargs="?",
        help="a folder made by generate --out, a plan's folder in the store, its fingerprint, or a store "
        "(default: every plan of $DATASET_DM_HOME)",
    )


def run(args: argparse.Namespace) -> int:
    """Print one block per plan, then free disk space; exit code 2 if a plan cannot be read."""
    from dataset_dm.files.storage import open_storage
    from dataset_dm.store.inventory import stored_plans

    found, unknown = stored_plans(args.place), 0
    for stored in found:
        try:
            print(describe(stored))
        except StoreError as error:  # for example of another version; the others are still shown
            unknown += 1
            print(f"error: {error}", file=sys.stderr)
    storage = found[0].parts[0].storage if found else open_storage()
    free = storage.free()
    left = "" if free is None else f", {size(free)} free"
    print(f"store {storage.locate('')}: {len(found)} plan{'' if len(found) == 1 else 's'}{left}")
    return StoreError.exit_code if unknown else 0


def describe(stored: StoredPlan) -> str:
    """The block of one plan. Raises StoreError for one that cannot be read."""
    from dataset_dm.store.status import survey

    found, plan = survey(stored), stored.plan
    what = f"{', '.join(plan.tasks)} by {plan.annotator}" if stored.labels else "images without labels"
    lines = [
        ("plan", f"{stored.fingerprint}  {stored.parts[-1].folder}"),
        ("what", f"{plan.generator}, {plan.steps} steps, {plan.size[0]} x {plan.size[1]}; {what}"),
        *_facts(found, plan.shard_size),
    ]
    return "\n".join(f"  {name:<10} {text}" if position else text for position, (name, text) in enumerate(lines))


def _facts(found: Survey, shard_size: int) -> Iterable[tuple[str, str]]:
    for split, state in found.splits.items():
        asked = "" if state.wanted is None else f" of {state.done + state.missing} for {state.wanted:,} rows"
        missing = f", {state.missing:,} missing" if state.missing else ""
        yield split, f"{state.done:,} shards of {shard_size} done{asked}{missing}"
    if found.making or found.running:
        yield "now", f"{found.running} running, making {', '.join(found.making) or 'nothing yet'}"
    if found.rate is not None:
        rest = "" if not found.eta else f", {duration(found.eta)} left at this rate"
        yield "rate", f"{found.rate:.2f} images/s in the latest run{rest}"
    total = sum(found.stages.values())
    if total:
        stages = sorted(found.stages.items(), key=lambda stage: -stage[1])
        shown = [f"{name} {duration(spent)} ({spent / total:.0%})" for name, spent in stages]
        yield "time", f"{duration(total)}: {', '.join(shown)}"
    if found.dropped:
        yield "left out", ", ".join(f"{reason} {count:,}" for reason, count in found.dropped.items())
    if found.marked:
        yield "halved", f"{found.marked:,} shards were made with a halved batch, for lack of memory"
    yield "disk", f"images {size(found.image_bytes)}, labels {size(found.label_bytes)}"
    if found.last:
        yield "last", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.last))


def size(count: int) -> str:
    """Bytes as text, in units of 1024.

    >>> size(3 * 2**20)
    '3.0 MB'
    """
    return next((f"{count / unit:.1f} {name}" for unit, name in _UNITS if count >= unit), f"{count} bytes")


def duration(seconds: float) -> str:
    """Seconds as text.

    >>> duration(7322)
    '2 h 2 min'
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

"""`dataset-dm verify [DIR]`: read every stored shard; with --repair, make damaged ones again."""

from __future__ import annotations

import argparse

from dataset_dm.engine.progress import bar
from dataset_dm.errors import StoreError

HINT = ": no file is half-written; run the same command again"
BAD = 1  # exit code when bad shards were found and not repaired


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to verify, and whether to repair it."""
    parser.add_argument(
        "place",
        metavar="DIR",
        nargs="?",
        help="a folder made by generate --out, a plan's folder in the store, its fingerprint, or a store "
        "(default: every plan of $DATASET_DM_HOME)",
    )
    parser.add_argument("--repair", action="store_true", help="make bad shards again, with the plan's own models")
    parser.add_argument("--device", default="auto", help="for --repair: auto (default), cpu, cuda, cuda:1 …")


def run(args: argparse.Namespace) -> int:
    """One line a bad shard, then the count; 0 when all are good or repaired, 1 when not, 2 if a manifest is missing."""
    from dataset_dm.engine.repair import repair
    from dataset_dm.store.inventory import stored_plans
    from dataset_dm.store.verify import check_plan

    found = stored_plans(args.place)
    total = sum(len(store.finished(split)) for stored in found for store in stored.parts for split in store.splits())
    damaged = repaired = unknown = 0
    with bar(total, "shard", "verifying", delay=1) as shown:
        for stored in found:
            faults = []
            try:
                for fault in check_plan(stored, shown.update):
                    faults.append(fault)
                    print(f"bad: {stored.fingerprint}: {fault}")
            except StoreError as error:  # no readable manifest; the other plans are still read
                unknown += 1
                print(f"bad: {error}")
            damaged += len({(fault.split, fault.shard) for fault in faults})
            if faults and args.repair:
                repaired += repair(stored, faults, device=args.device)
    repairs = f", {repaired} repaired" if args.repair and damaged else ""
    lost = f", {unknown} without a manifest that can be used" if unknown else ""
    print(f"{total} files of {len(found)} plans read: {damaged or 'no'} bad shards{repairs}{lost}")
    if damaged > repaired and not args.repair:
        print("run the same command with --repair to make them again")
    if unknown:
        return StoreError.exit_code
    return BAD if damaged > repaired else 0

"""`dataset-dm gc`: delete old plans from the store, after asking."""

from __future__ import annotations

import argparse
import sys

from dataset_dm.errors import ConfigError, explain

DAYS = 30.0
# seconds after which a temporary file counts as left over
_LEFT_OVER = 24 * 3600.0
_FOREIGN = ", of no plan that this version would make"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which plans count as old, and whether to ask."""
    parser.add_argument(
        "place", metavar="DIR", nargs="?", help="a plan's folder, its fingerprint, or a store (default: the store)"
    )
    parser.add_argument(
        "--older-than", metavar="DAYS", type=float, default=DAYS, help=f"unchanged for so long (default {DAYS:g})"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """List old plans with their sizes, ask, delete them; plans in use are kept."""
    from dataset_dm.cli.status import size
    from dataset_dm.store.garbage import find_old, remove
    from dataset_dm.store.inventory import storages_of, stored_plans

    if not args.older_than >= 0:
        raise ConfigError(explain("--older-than", got=args.older_than, expected="days, 0 or more"))
    plans = stored_plans(args.place)
    swept = sum(storage.sweep(_LEFT_OVER) for storage in storages_of(plans))
    if swept:
        print(f"removed {swept} half-written files of killed runs")
    old = find_old(plans, days=args.older_than)
    if not old:
        print(f"no plan is older than {args.older_than:g} days and out of use")
        return 0
    for one in old:
        print(f"{one.store.folder}  {size(one.size)}, unchanged for {one.days:.0f} days{'' if one.known else _FOREIGN}")
    total = size(sum(one.size for one in old))
    if not args.yes and not _agreed(f"remove these {len(old)} folders ({total})? [y/N] "):
        print("nothing was removed")
        return 0
    kept = [one for one in old if not remove(one)]
    for one in kept:
        print(f"kept: {one.store.folder} is in use by now")
    freed = sum(one.size for one in old if one not in kept)
    print(f"removed {len(old) - len(kept)} folders, {size(freed)}")
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError("gc asks before it removes anything, and stdin is no terminal; pass --yes")
    return input(question).strip().lower() in ("y", "yes")

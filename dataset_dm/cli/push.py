"""`dataset-dm push STORE REPO`: upload a generated set, a decoder or an adapter to the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_dm.hub import Pushed

HINT = ": the repository is unchanged; run the same command again to go on, uploaded content is kept"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Folders, repository and options."""
    parser.add_argument(
        "store",
        metavar="STORE",
        nargs="+",
        type=Path,
        help="folder of generate --out (several: one for each config) or of train",
    )
    parser.add_argument("repo", metavar="REPO", help="owner/name on the Hub; a name without owner is yours")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--revision", metavar="BRANCH", help="branch to push to, created if missing (default main)")
    where.add_argument("--pr", action="store_true", help="open a pull request instead of committing")
    parser.add_argument("--license", metavar="ID", help="licence for the card, such as cc-by-4.0")
    parser.add_argument("--renew-card", action="store_true", help="replace parts of the card that were edited by hand")
    parser.add_argument("--replace", action="store_true", help="replace a config that has other columns")
    parser.add_argument("--dry-run", action="store_true", help="show what would be uploaded, and write nothing")


def run(args: argparse.Namespace) -> int:
    """Push, and print what was uploaded."""
    from dataset_dm.hub import push

    pushed = push(
        args.store,
        args.repo,
        private=args.private or None,
        revision=args.revision,
        create_pr=args.pr,
        license=args.license,
        renew_card=args.renew_card,
        replace=args.replace,
        dry_run=args.dry_run,
    )
    print(_summary(pushed))
    return 0


def _summary(pushed: Pushed) -> str:
    lines = [f"  {'new':<9} {path} ({_size(size)})" for path, size in pushed.sent.items()]
    lines += [f"  {'remove':<9} {path}" for path in pushed.removed]
    lines += [f"  {'unchanged':<9} {path}" for path in pushed.kept]
    lines += [f"  {'note':<9} {note}" for note in pushed.notes]
    total = f"{len(pushed.sent)} files, {_size(sum(pushed.sent.values()))}"
    if pushed.dry:
        return "\n".join([*lines, f"would push {total} to {pushed.url} (dry run)"])
    if not pushed.sent and not pushed.removed:
        return "\n".join([*lines, f"nothing is new: {pushed.url} is up to date"])
    return "\n".join([*lines, f"pushed {total} to {pushed.pull_request or pushed.url}"])


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"

"""`dataset-dm import FOLDER --format FORMAT --into SOURCE --out NEWDIR`: corrected labels as a new version of a set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dataset_dm.cli.export import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, which set, which folder."""
    parser.add_argument("files", type=Path, metavar="FOLDER", help="corrected files, or the one file that a tool wrote")
    parser.add_argument("--format", required=True, help=FORMATS)
    parser.add_argument("--into", required=True, metavar="SOURCE", help="the set that was exported; it is not changed")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new version; must be new or empty")
    parser.add_argument("--config", help="config of a dataset's name (default: its own)")


def run(args: argparse.Namespace) -> int:
    """Writes the new version and prints the changes of the review."""
    from dataset_dm.exports import import_set

    done = import_set(args.files, args.format, args.into, args.out, config=args.config)
    counts = {name: number for name, number in done.counts.items() if number}
    bare = counts.pop("objects without a mask", 0)
    print(f"  {'reviewed':<12} {done.reviewed:,} of {done.rows:,} images, the others are as they were")
    print(f"  {'changes':<12} {', '.join(f'{name} {number:,}' for name, number in counts.items()) or 'none'}")
    print(f"  {'folder':<12} {done.folder}")
    if bare:
        print(f"warning: {bare:,} changed or new objects have a box alone, their mask is empty", file=sys.stderr)
    return 0

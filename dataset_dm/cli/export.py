"""`dataset-dm export SOURCE --format FORMAT --out DIR`: a set in another tool's or trainer's format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

FORMATS = "coco, yolo, yolo-seg, yolo-pose, voc, cityscapes, label-studio or cvat"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which set, which format, which folder."""
    parser.add_argument("source", metavar="SOURCE", help="a generated folder, or a dataset's name")
    parser.add_argument("--format", required=True, help=FORMATS)
    parser.add_argument("--out", type=Path, required=True, help="folder to make; must be new or empty")
    parser.add_argument("--config", help="config of a dataset's name (default: its own)")
    parser.add_argument("--split", action="append", metavar="NAME", help="split to export; repeatable (default: all)")


def run(args: argparse.Namespace) -> int:
    """Writes the folder; prints what the format does not support, and warns of labels that were lost."""
    from dataset_dm.exports import export_set, find_format

    chosen = find_format(args.format)
    done = export_set(args.source, args.format, args.out, config=args.config, splits=args.split)
    rows = ", ".join(f"{split} {count:,}" for split, count in done.rows.items())
    print(f"  {'images':<12} {sum(done.rows.values()):,} ({rows})")
    print(f"  {'format':<12} {chosen.title}")
    print(f"  {'cannot hold':<12} {'; '.join(kind.why for kind in chosen.unsupported)}")
    for note in chosen.notes:
        print(f"  {'next':<12} {note}")
    print(f"  {'folder':<12} {done.folder}")
    if done.lost:
        lost = ", ".join(f"{count:,} {name}" for name, count in done.lost.items())
        print(f"warning: {chosen.name} left out {lost}; SOURCE still has them", file=sys.stderr)
    return 0

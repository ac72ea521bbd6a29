"""`dataset-dm preview DIR_OR_DATASET --out preview.png`: a sheet of images, labels of every kind and prompts."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The set, the samples and the file."""
    parser.add_argument("source", metavar="DIR_OR_DATASET", help="a generated folder, or a name such as voc_synth")
    parser.add_argument("--config", help="config of the dataset (default: its own)")
    parser.add_argument("--split", default=None, help="split to show (default: the first)")
    parser.add_argument("--rows", type=int, default=12, help="samples to show (default 12)")
    parser.add_argument("--start", type=int, default=0, help="first sample (default 0)")
    parser.add_argument("--out", type=Path, default=Path("preview.png"), help="PNG to write (default preview.png)")


def run(args: argparse.Namespace) -> int:
    """Draw the sheet; 0 when it is written."""
    from dataset_dm.explore.preview import preview

    drawn = preview(args.source, args.out, config=args.config, split=args.split, rows=args.rows, start=args.start)
    print(f"{args.out}: {drawn.width} x {drawn.height} pixels")
    return 0

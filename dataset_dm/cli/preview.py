"""`dataset-dm preview DIR_OR_DATASET --out preview.png`: a sheet of images, labels of every kind and prompts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dataset_dm.errors import DataError, StoreError, UserError, did_you_mean, explain

NAME = "preview"
HELP = "draw a sheet of images and labels"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to show and where to write it."""
    parser.add_argument("source", metavar="DIR_OR_DATASET", help="a generated folder, or a name such as voc_synth")
    parser.add_argument("--config", help="config of the dataset (default: its own)")
    parser.add_argument("--split", default=None, help="split to show (default: the first)")
    parser.add_argument("--rows", type=int, default=12, help="samples to show (default 12)")
    parser.add_argument("--start", type=int, default=0, help="first sample (default 0)")
    parser.add_argument("--out", type=Path, default=Path("preview.png"), help="PNG to write (default preview.png)")


def run(args: argparse.Namespace) -> int:
    """Draw the sheet; 0 when it is written."""
    for name, least in (("rows", 1), ("start", 0)):
        if getattr(args, name) < least:
            expected = f"a whole number of at least {least}"
            raise DataError(explain(f"--{name}", got=getattr(args, name), expected=expected))
    from dataset_dm.exports.open_dataset import class_names
    from dataset_dm.visualization.sheet import read_row, sheet

    split, dataset = _open(args)
    if args.start >= len(dataset):
        raise DataError(explain("--start", got=args.start, expected=f"less than the {len(dataset)} rows of {split}"))
    shown = dataset.select(range(args.start, min(args.start + args.rows, len(dataset))))
    rows = [read_row(record, args.start + i) for i, record in enumerate(shown)]
    drawn = sheet(rows, class_names(dataset.features), f"{args.source} · {split} · {len(dataset):,} images")
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        drawn.save(args.out, format="PNG")
    except OSError as error:
        raise StoreError(explain(f"--out {args.out}: cannot be written ({error.strerror})")) from error
    print(f"{args.out}: {len(rows)} samples")
    return 0


def _open(args: argparse.Namespace) -> tuple[str, Any]:
    """(split, dataset) of a folder or of a name with or without the prefix dataset_dm/."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    from dataset_dm.plan.configs import CATALOGUE

    name = args.source
    if not Path(name).exists():
        short = name.removeprefix("dataset_dm/")
        if short in CATALOGUE:
            name = f"dataset_dm/{short}"
        elif "/" not in short:
            expected = "a folder made by `dataset-dm generate`, or a dataset's name"
            raise DataError(explain("preview", got=name, expected=expected) + did_you_mean(name, CATALOGUE))
    try:
        splits = load_dataset(name, args.config)
    except UserError:
        raise
    except (OSError, ValueError, DatasetsError) as error:  # no such config, damaged files, no network …
        said = " ".join(str(error.__cause__ or error).split())
        raise DataError(explain(f"preview: {name} cannot be loaded ({said})")) from error
    split = args.split or next(iter(splits))
    if split not in splits:
        known = ", ".join(splits)
        raise DataError(explain("--split", got=split, expected=f"one of {known}") + did_you_mean(split, splits))
    return split, splits[split]

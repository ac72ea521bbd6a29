"""`dataset-dm train`: train a decoder on labelled images and a frozen generator."""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from dataset_dm.training.config import TrainConfig

HINT = ": the last checkpoint is kept; run the same command again with --resume to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, generator, and the settings of `TrainConfig` that can be written as text."""
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="miniature, a folder in a known layout, or a Hub id"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the decoder")
    parser.add_argument("--generator", default="miniature", metavar="ID", help="folder or Hub id[@revision]")
    for entry in _settings():
        metavar = "A,B" if entry.metadata["read"] not in (int, float, str) else None
        parser.add_argument(_option(entry), dest=entry.name, metavar=metavar, help=entry.metadata["help"])
    parser.add_argument("--patience", help=argparse.SUPPRESS)
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda …")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with the training in --out")
    again.add_argument("--overwrite", action="store_true", help="delete what an earlier training left in --out")


def run(args: argparse.Namespace) -> int:
    """Trains, prints the held-out figures."""
    if args.patience is not None:
        warnings.warn("--patience is called --early-stop-evals now", DeprecationWarning, stacklevel=1)
        args.early_stop_evals = args.patience if args.early_stop_evals is None else args.early_stop_evals
    given = {entry.name: _read(entry, getattr(args, entry.name)) for entry in _settings()}
    config = TrainConfig(**{name: value for name, value in given.items() if value is not None})
    from dataset_dm.training import train_decoder

    result = train_decoder(
        args.data,
        args.generator,
        args.out,
        config,
        device=args.device,
        resume=args.resume,
        overwrite=args.overwrite,
        command=shlex.join(["dataset-dm", *sys.argv[1:]]),
    )
    for text, figures in result.figures.items():
        shown = ", ".join(
            f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float) and value == value
        )
        print(f"{text:<10} {shown}")
    print(f"decoder    {result.folder} ({result.steps} steps)")
    return 0


def _settings() -> list[Field[Any]]:
    """The settings that have an option."""
    return [entry for entry in fields(TrainConfig) if entry.metadata.get("read") is not None]


def _option(entry: Field[Any]) -> str:
    return entry.metadata["option"] or f"--{entry.name.replace('_', '-')}"


def _read(entry: Field[Any], text: str | None) -> Any:
    """The value of an option's text; the check of its setting refuses what cannot be read."""
    if text is None:
        return None
    try:
        value = entry.metadata["read"](text)
    except ValueError:
        value = text
    return entry.metadata["check"](_option(entry), value)

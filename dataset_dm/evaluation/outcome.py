"""The result of a measurement, and how it is printed and written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dataset_dm.errors import MissingExtra, StoreError, explain
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.metrics.report import Report
from dataset_dm.visualization.sheet import Row, sheet


@dataclass
class Outcome:
    """A report, its plots, and images to look at.

    Args:
        plots: file name → function that draws it.
        sheets: file name → title and tiles of a sheet of images.
    """

    report: Report
    plots: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    sheets: dict[str, tuple[str, list[Row]]] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write report.json, report.md, the plots (if matplotlib is there) and the sheets."""
        self.report.save(folder)
        try:
            for name, draw in self.plots.items():
                draw(folder / name)
        except MissingExtra as error:
            print(f"plots left out: {error}", file=sys.stderr)
        for name, (title, rows) in self.sheets.items():
            if rows:
                sheet(rows, NAMES, title).save(folder / name)


def complete(outcome: Outcome, command: str, args: argparse.Namespace) -> Report:
    """The report with its command line and settings, written into `args.out` unless None."""
    report = outcome.report
    report.command = command
    given = {k: v for k, v in vars(args).items() if isinstance(v, (str, int, float)) and k != "verb"}
    report.settings = {**given, **surroundings()}
    if args.out is not None:
        outcome.save(args.out)
    return report


def deliver(outcome: Outcome, command: str, args: argparse.Namespace) -> None:
    """Complete the report, print it, and name its file."""
    print(complete(outcome, command, args).text())
    if args.out is not None:
        print(f"\nreport: {args.out / 'report.md'}")


def check_folder(folder: Path | None) -> None:
    """Make the folder of a report; StoreError if that fails. No-op for None."""
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(explain(f"--out {folder}: cannot be made ({error.strerror})")) from error


def surroundings() -> dict[str, str]:
    """Device and versions, as a report's settings name them."""
    import torch

    machine = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    versions = ", ".join(f"{name} {version(name)}" for name in ("dataset-dm", "torch", "diffusers") if _installed(name))
    return {"machine": machine, "versions": versions}


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:  # run from a checkout
        return False

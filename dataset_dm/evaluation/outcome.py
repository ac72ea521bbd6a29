"""What a measurement hands back, and how it is written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dataset_dm.errors import MissingExtra
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.metrics.report import Report
from dataset_dm.visualization.sheet import Row, sheet


@dataclass
class Outcome:
    """A report, what is drawn beside it, and the pictures to look at.

    Args:
        plots: file name → function that draws it.
        sheets: file name → title and tiles of a picture sheet.
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


def settings(**values: Any) -> dict[str, Any]:
    """What a report says about how it was measured: the values that were given, then device and versions."""
    import torch

    here = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    versions = ", ".join(f"{name} {version(name)}" for name in ("dataset-dm", "torch", "diffusers") if _installed(name))
    return {**{k: v for k, v in values.items() if v is not None}, "machine": here, "versions": versions}


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:  # run from a checkout
        return False

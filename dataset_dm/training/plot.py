"""The loss plot of a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from dataset_dm.metrics.plots import BLUE, RED, figure, save
from dataset_dm.training.validation import SHOWN, Figures

COLOURS = (RED, "#b35c00", "#7a3fa8", "#5b7f1f", "#1f7f73")  # one a figure


def plot_history(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss parts and held-out figures over steps, as PNG.

    Args:
        history: one dict an evaluation with "step", loss parts, and those of `SHOWN` that were measured (0..1).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    drawn = figure(8, 4)
    left = drawn.subplots()
    steps = [entry["step"] for entry in history]
    measured = {entry.name for entry in fields(Figures)}
    for name in [key for key in history[0] if key != "step" and key not in measured]:
        style = {"color": BLUE, "linewidth": 2} if name == "loss" else {"linewidth": 1, "alpha": 0.7}
        left.plot(steps, [entry[name] for entry in history], label=name, **style)
    left.set_xlabel("step"), left.set_ylabel("loss"), left.set_yscale("log")
    right = left.twinx()
    for (name, title), colour in zip(SHOWN.items(), COLOURS, strict=True):
        if any(name in entry for entry in history):
            values = [100 * entry.get(name, float("nan")) for entry in history]
            right.plot(steps, values, color=colour, linewidth=2, linestyle="--", label=f"held-out {title}")
    right.set_ylabel("held-out figures, %"), right.set_ylim(0, 100)
    lines = [*left.get_lines(), *right.get_lines()]
    left.legend(lines, [line.get_label() for line in lines], fontsize=8, loc="center right")
    part = path.with_name(f".{os.getpid()}-{path.name}")
    save(drawn, part)
    part.replace(path)

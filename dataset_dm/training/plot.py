"""The loss plot of a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dataset_dm.evaluation.plots import BLUE, RED, figure, save


def plot_history(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss parts and validation mIoU over steps, as PNG.

    Args:
        history: one dict an evaluation with "step", loss parts and "miou" (0..1).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    drawn = figure(8, 4)
    left = drawn.subplots()
    steps = [entry["step"] for entry in history]
    for name in [key for key in history[0] if key not in ("step", "miou", "seconds")]:
        style = {"color": BLUE, "linewidth": 2} if name == "loss" else {"linewidth": 1, "alpha": 0.7}
        left.plot(steps, [entry[name] for entry in history], label=name, **style)
    left.set_xlabel("step"), left.set_ylabel("loss"), left.set_yscale("log")
    right = left.twinx()
    right.plot(steps, [100 * entry["miou"] for entry in history], color=RED, linewidth=2, label="validation mIoU")
    right.set_ylabel("mIoU"), right.set_ylim(0, 100)
    lines = [*left.get_lines(), *right.get_lines()]
    left.legend(lines, [line.get_label() for line in lines], fontsize=8, loc="center right")
    part = path.with_name(f".{os.getpid()}-{path.name}")
    save(drawn, part)
    part.replace(path)

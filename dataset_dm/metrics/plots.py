"""Plots of a report. matplotlib is imported inside, so that measuring works without it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import MissingExtra, explain
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.semantic import Confusion

INK, BLUE, RED, GREEN, PALE = "#22303c", "#2a6f97", "#c8553d", "#8ab6a0", "#dfe7ec"


def figure(width: float, height: float) -> Any:
    """A matplotlib figure of inches without the global pyplot state, drawn by the Agg backend.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            explain("plots need matplotlib", remedy="pip install 'dataset-dm[plot]', or leave the plots out")
        ) from error
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def save(drawn: Any, path: Path) -> None:
    """Write a figure as PNG; a glyph the font lacks (a class in another script) is drawn as a box, not an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn.savefig(path, dpi=130)


def plot_confusion(confusion: Confusion, names: Sequence[str], path: Path, title: str = "") -> None:
    """Draw the matrix, each row scaled to the class's own pixels, and write a PNG to `path`."""
    occurs = np.flatnonzero(confusion.matrix.sum(0) + confusion.matrix.sum(1))
    matrix = confusion.matrix[np.ix_(occurs, occurs)]
    share = 100 * matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    labels = [names[i] for i in occurs]
    side = 2.2 + 0.36 * max(len(labels), 6)
    drawn = figure(side + 0.6, side)
    axes = drawn.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for (t, p), value in np.ndenumerate(share):
        if value >= 0.5:
            colour = "white" if value > 55 else INK
            axes.text(p, t, f"{value:.0f}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=55, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel("predicted"), axes.set_ylabel("true")
    axes.set_title(title or "confusion, % of the true class's pixels", fontsize=10, color=INK)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    save(drawn, path)


def plot_reliability(curves: Sequence[tuple[str, Reliability]], path: Path, title: str = "") -> None:
    """Draw one reliability diagram a (name, curve), gaps to the diagonal shown, and write a PNG to `path`."""
    drawn = figure(0.6 + 3.9 * len(curves), 4.4)
    every = drawn.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, curve) in zip(every, curves, strict=True):
        width = 1 / curve.bins
        centre = (np.arange(curve.bins) + 0.5) * width
        share = curve.count / max(curve.count.sum(), 1)
        accuracy, confidence = curve.accuracy(), curve.mean_confidence()
        filled = curve.count > 0
        axes.bar(centre[filled], accuracy[filled], width * 0.92, color=BLUE, label="right")
        # Above the bar: overconfident. At the top of the bar: underconfident.
        axes.bar(
            centre[filled],
            np.maximum(confidence - accuracy, 0)[filled],
            width * 0.92,
            bottom=accuracy[filled],
            color=RED,
            alpha=0.4,
            label="overconfident",
        )
        axes.bar(
            centre[filled],
            np.maximum(accuracy - confidence, 0)[filled],
            width * 0.92,
            bottom=np.minimum(confidence, accuracy)[filled],
            color=GREEN,
            label="underconfident",
        )
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--")
        axes.bar(
            centre, -0.12 * share / max(share.max(), 1e-9), width * 0.92, color="#9fb3c1", label="how many (relative)"
        )
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlim=(0, 1), ylim=(-0.14, 1.02), xlabel="confidence", ylabel="share right")
        axes.set_yticks(np.linspace(0, 1, 6))
        axes.set_title(f"{name}  ECE {curve.ece():.3f}", fontsize=10, color=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    every[0].legend(frameon=False, fontsize=8, loc="upper left")
    if title:
        drawn.suptitle(title, fontsize=11, color=INK)
    save(drawn, path)

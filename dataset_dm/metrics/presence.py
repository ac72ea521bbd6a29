"""Presence of classes: ROC curve of the class scores, and the area under it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from dataset_dm.metrics import plots
from dataset_dm.metrics.prompt_adherence import LEAST_SHARE, class_shares


@dataclass
class Presences:
    """Scores of the requested classes, and whether each class is in the image."""

    scores: list[float] = field(default_factory=list)
    present: list[bool] = field(default_factory=list)

    def add(
        self, positions: Iterable[int], presence: Float[np.ndarray, " k"], class_map: UInt8[np.ndarray, "h w"]
    ) -> None:
        """Count the requested classes of one image; a class of a few stray pixels is neither present nor absent.

        Args:
            positions: of the requested classes.
            presence: score of every class.
            class_map: the truth; 0 background, i + 1 the i-th class.
        """
        share = class_shares(class_map, len(presence))
        for position in positions:
            if share[position] == 0 or share[position] >= LEAST_SHARE:
                self.scores.append(float(presence[position]))
                self.present.append(bool(share[position] > 0))

    def curve(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The ROC curve: shares of absent and of present classes that score at least a threshold, from 0 to 1 each."""
        scores, present = np.asarray(self.scores), np.asarray(self.present, dtype=bool)
        thresholds = np.unique(scores)[::-1]
        false = [0.0, *(float((scores[~present] >= threshold).mean()) for threshold in thresholds)]
        true = [0.0, *(float((scores[present] >= threshold).mean()) for threshold in thresholds)]
        return np.asarray(false), np.asarray(true)

    def auc(self) -> float:
        """Chance that a present class scores above an absent one, ties halved; NaN without classes of both kinds."""
        if not self.both:
            return float("nan")
        false, true = self.curve()
        return float(np.trapezoid(true, false)) if hasattr(np, "trapezoid") else float(np.trapz(true, false))

    @property
    def both(self) -> bool:
        """Whether there are present and absent classes."""
        return any(self.present) and not all(self.present)

    def kept(self, threshold: float, *, present: bool) -> float | None:
        """Share of the present (or absent) classes that score at least `threshold`; None without any."""
        scores = [score for score, there in zip(self.scores, self.present, strict=True) if there == present]
        return sum(score >= threshold for score in scores) / len(scores) if scores else None


def plot_roc(curves: Iterable[tuple[str, Presences]], path: Path) -> None:
    """Draw up to two named ROC curves and write a PNG to `path`; one without both kinds of class is left out."""
    drawn = plots.figure(4.6, 4.4)
    axes = drawn.subplots()
    for (name, one), colour in zip(curves, (plots.BLUE, plots.RED), strict=True):
        if one.both:
            axes.plot(*one.curve(), color=colour, label=f"{name}: AUC {one.auc():.3f}")
    axes.plot([0, 1], [0, 1], color=plots.INK, linewidth=1, linestyle="--")
    axes.set(xlabel="absent classes kept", ylabel="present classes kept", title="presence of classes asked for")
    axes.legend(frameon=False, loc="lower right")
    axes.grid(color=plots.PALE)
    plots.save(drawn, path)

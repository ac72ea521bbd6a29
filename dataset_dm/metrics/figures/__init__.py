"""Figures, calibration and worst images of every task, from one run over labelled images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.figures.depth import DepthFigures
from dataset_dm.metrics.figures.instance import InstanceFigures
from dataset_dm.metrics.figures.pose import PoseFigures
from dataset_dm.metrics.figures.semantic import SemanticFigures
from dataset_dm.metrics.report import Table
from dataset_dm.metrics.truth import Truth
from dataset_dm.metrics.worst_images import Worst

__all__ = ["DepthFigures", "InstanceFigures", "LabelFigures", "PoseFigures", "SemanticFigures", "side_by_side"]


class TaskFigures(Protocol):
    """Sums over images for one task.

    Attributes:
        reliability: the calibration of the task's confidence.
        worst: the images with the lowest scores.
    """

    reliability: Reliability
    worst: Worst

    def add(
        self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str, index: int
    ) -> None:
        """Count image `index`, its labels and its truth."""

    def figures(self) -> dict[str, float]:
        """Name → number, as a report holds them."""


class LabelFigures:
    """All tasks of one run.

    Args:
        names: the classes, background first.
        tasks: names of `tasks.TASKS` that are measured.
    """

    def __init__(self, names: Sequence[str], tasks: Iterable[str] = ("semantic",)) -> None:
        makers = {
            "semantic": lambda: SemanticFigures(names),
            "instance": lambda: InstanceFigures(names),
            "depth": DepthFigures,
            "pose": lambda: PoseFigures(names),
        }
        self.tasks: dict[str, TaskFigures] = {task: makers[task]() for task in tasks}
        self.images = 0

    def add(self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str = "") -> None:
        """Count one image, its annotation and its truth for every task.

        Raises:
            ValueError: the annotation or the truth lacks what a task needs.
        """
        for task in self.tasks.values():
            task.add(image, annotation, truth, prompt, self.images)
        self.images += 1

    def figures(self, prefix: str = "") -> dict[str, float]:
        """All tasks' numbers, every name after `prefix`."""
        return {f"{prefix}{name}": value for task in self.tasks.values() for name, value in task.figures().items()}


def side_by_side(title: str, runs: Sequence[tuple[str, dict[str, float]]]) -> Table:
    """The same figures of several runs: one row a figure, one column a (name, figures) run."""
    rows = [[figure, *(figures[figure] for _, figures in runs)] for figure in runs[0][1]]
    return Table(title, ["figure", *(name for name, _ in runs)], rows)

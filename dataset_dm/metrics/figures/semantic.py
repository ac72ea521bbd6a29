"""Class maps: every-pixel and voided confusion, outlines, calibration, the worst images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.metrics.boundary import Boundaries
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.report import Table
from dataset_dm.metrics.semantic import Confusion, image_miou
from dataset_dm.metrics.truth import Truth
from dataset_dm.metrics.worst_images import Worst
from dataset_dm.visualization.sheet import Row


@dataclass
class SemanticFigures:
    """Sums over images; `names` are the classes, background first.

    `every` counts argmax labels on every pixel, without void and without any filter: the figures that bars speak of.
    `voided` counts the labels as they are stored, 255 left out; it says less, so it stands beside the void share.
    """

    names: Sequence[str]
    every: Confusion = field(init=False)
    voided: Confusion = field(init=False)
    boundaries: Boundaries = field(init=False)
    reliability: Reliability = field(default_factory=Reliability)
    worst: Worst = field(default_factory=Worst)

    def __post_init__(self) -> None:
        self.every, self.voided = Confusion(len(self.names)), Confusion(len(self.names))
        self.boundaries = Boundaries(len(self.names))

    def add(
        self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str, index: int
    ) -> None:
        """Count image `index`.

        Raises:
            ValueError: the annotation has no class map, was made without `probability`, or holds void where every pixel
                must count.
        """
        full, label = annotation.full, annotation.label
        if full is None or label is None:
            raise ValueError("figures of class maps: the annotation has none; annotate with the task semantic")
        if annotation.probability is None:
            raise ValueError("figures need the probability of every pixel; annotate with keep_probability=True")
        if (full == VOID).any():
            raise ValueError("figures count every pixel: `full` must hold no 255")
        self.every.add(full, truth.label)
        self.voided.add(label, truth.label)
        self.boundaries.add(full, truth.label)
        self.reliability.add_foreground(full, annotation.probability, truth.label)
        score = image_miou(full, truth.label, len(self.names))
        note = f"mIoU {score:.2f}"
        self.worst.add(score, index, Row(image, full, prompt, annotation.confidence, index, truth.label, note))

    def figures(self) -> dict[str, float]:
        """mIoU and pixel accuracy on every pixel, the void share and the mIoU without it, boundary F-score, ECE."""
        return {
            "miou": self.every.miou(),
            "pixel_accuracy": self.every.accuracy(),
            "void_share": self.voided.void_share(),
            "miou_without_void": self.voided.miou(),
            "boundary_f": self.boundaries.mean(),
            "ece": self.reliability.ece(),
        }


def class_table(title: str, runs: Sequence[tuple[str, SemanticFigures]]) -> Table:
    """IoU a class and run side by side, and the mean; then the void share with the mIoU on what it leaves."""
    first = runs[0][1]
    columns = ["class", *(name for name, _ in runs), "pixels of truth"]
    ious = [run.every.iou() for _, run in runs]
    pixels = first.every.matrix.sum(1)
    rows: list[list[str | float | int | None]] = [
        [name, *(float(iou[i]) for iou in ious), int(pixels[i])] for i, name in enumerate(first.names)
    ]
    rows.append(["mIoU, every pixel", *(run.every.miou() for _, run in runs), int(pixels.sum())])
    rows.append(["void share", *(run.voided.void_share() for _, run in runs), None])
    rows.append(["mIoU, void left out", *(run.voided.miou() for _, run in runs), None])
    rows.append(["boundary F-score", *(run.boundaries.mean() for _, run in runs), None])
    rows.append(["ECE of foreground", *(run.reliability.ece() for _, run in runs), None])
    return Table(title, columns, rows)


def confusion_table(title: str, run: SemanticFigures, count: int = 10) -> Table:
    """The most frequent mistakes of a run."""
    rows = [[truth, said, share] for truth, said, share in run.every.worst_confusions(run.names, count)]
    return Table(title, ["true class", "labelled as", "share of its pixels"], rows)

"""What one run over labelled pictures yields: every-pixel and voided confusion, calibration, the worst cases."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dataset_dm.evaluation.calibration import Reliability
from dataset_dm.evaluation.report import Table
from dataset_dm.evaluation.semantic import Confusion, image_miou
from dataset_dm.preview import Row
from dataset_dm.records import VOID, Annotation


@dataclass
class LabelFigures:
    """Sums over pictures; `names` are the classes, background first.

    `every` counts argmax labels on every pixel, without void and without any filter: the figures that bars speak of.
    `voided` counts the labels as they are stored, 255 left out; it says less, so it stands beside the void share.
    """

    names: Sequence[str]
    keep_worst: int = 12
    every: Confusion = field(init=False)
    voided: Confusion = field(init=False)
    reliability: Reliability = field(default_factory=Reliability)
    images: int = 0
    _worst: list[tuple[float, int, Row]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.every, self.voided = Confusion(len(self.names)), Confusion(len(self.names))

    def add(self, image: np.ndarray, annotation: Annotation, truth: np.ndarray, prompt: str = "") -> None:
        """Count one picture: image uint8 [H W 3], its annotation with `probability`, truth uint8 [H W].

        Raises:
            ValueError: the annotation was made without `probability`, or holds void where every pixel must count.
        """
        if annotation.probability is None:
            raise ValueError("figures need the probability of every pixel; annotate with keep_probability=True")
        if (annotation.full == VOID).any():
            raise ValueError("figures count every pixel: `full` must hold no 255")
        self.every.add(annotation.full, truth)
        self.voided.add(annotation.label, truth)
        self.reliability.add_foreground(annotation.full, annotation.probability, truth)
        score = image_miou(annotation.full, truth, len(self.names))
        row = Row(image, annotation.full, prompt, annotation.confidence, self.images, truth, f"mIoU {score:.2f}")
        # Kept by badness; the index breaks ties, so that the choice never depends on anything else.
        entry = (-score, -self.images, row)
        if len(self._worst) < self.keep_worst:
            heapq.heappush(self._worst, entry)
        elif entry > self._worst[0]:
            heapq.heapreplace(self._worst, entry)
        self.images += 1

    def worst(self) -> list[Row]:
        """The pictures with the lowest mIoU, worst first, each with its truth."""
        return [row for _, _, row in sorted(self._worst, reverse=True)]

    def figures(self, prefix: str = "") -> dict[str, float]:
        """The numbers that a report's figures hold."""
        return {
            f"{prefix}miou": self.every.miou(),
            f"{prefix}pixel_accuracy": self.every.accuracy(),
            f"{prefix}void_share": self.voided.void_share(),
            f"{prefix}miou_without_void": self.voided.miou(),
            f"{prefix}ece": self.reliability.ece(),
        }


def class_table(title: str, runs: Sequence[tuple[str, LabelFigures]]) -> Table:
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
    rows.append(["ECE of foreground", *(run.reliability.ece() for _, run in runs), None])
    return Table(title, columns, rows)


def confusion_table(title: str, run: LabelFigures, count: int = 10) -> Table:
    """The most frequent mistakes of a run."""
    rows = [[truth, said, share] for truth, said, share in run.every.worst_confusions(run.names, count)]
    return Table(title, ["true class", "labelled as", "share of its pixels"], rows)

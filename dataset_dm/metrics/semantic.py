"""Semantic metrics: one confusion matrix, summed over images, and what is read from it.

Rows are the truth, columns the prediction. A pixel whose *truth* is void has no answer and never counts. A pixel whose
*prediction* is void is kept apart (`void`); figures that count every pixel are given argmax labels without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, Integer

from dataset_dm.labels.vocabulary import VOID


@dataclass
class Confusion:
    """Counts of (truth, prediction) pairs over `classes` ids 0 … classes - 1, background among them.

    Example:
        >>> c = Confusion(2)
        >>> c.add(np.array([[0, 1]]), np.array([[0, 0]]))
        >>> c.iou().tolist()
        [0.5, 0.0]
    """

    classes: int
    matrix: Int[np.ndarray, "k k"] = field(default=None)  # type: ignore[assignment]
    void: int = 0  # pixels with a truth where the prediction abstained

    def __post_init__(self) -> None:
        if self.classes < 1:
            raise ValueError(f"Confusion: classes must be at least 1, got {self.classes}")
        if self.matrix is None:
            self.matrix = np.zeros((self.classes, self.classes), dtype=np.int64)

    def add(self, prediction: Integer[np.ndarray, "*n"], truth: Integer[np.ndarray, "*m"]) -> None:
        """Count label maps of any equal shape, ids 0 … classes - 1 or 255 (void).

        Raises:
            ValueError: shapes differ, or an id is neither a class nor void.
        """
        prediction, truth = np.asarray(prediction), np.asarray(truth)
        if prediction.shape != truth.shape:
            raise ValueError(
                f"confusion: prediction has shape {prediction.shape}, truth {truth.shape}; they must agree"
            )
        for name, labels in (("prediction", prediction), ("truth", truth)):
            wrong = np.unique(labels[(labels >= self.classes) & (labels != VOID)])
            if wrong.size:
                raise ValueError(
                    f"confusion: {name} has id {int(wrong[0])}, the task has 0..{self.classes - 1} and {VOID} for void"
                )
        known = truth != VOID
        counted = known & (prediction != VOID)
        self.void += int(known.sum() - counted.sum())
        pairs = truth[counted].astype(np.int64) * self.classes + prediction[counted]
        self.matrix += np.bincount(pairs, minlength=self.classes**2).reshape(self.classes, self.classes)

    def iou(self) -> Float[np.ndarray, " k"]:
        """Intersection over union of each class in 0..1; NaN where neither truth nor prediction shows it."""
        hit = np.diag(self.matrix).astype(float)
        union = self.matrix.sum(0) + self.matrix.sum(1) - hit
        return np.divide(hit, union, out=np.full(self.classes, np.nan), where=union > 0)

    def miou(self) -> float:
        """Mean of the IoUs over the classes that occur, in 0..1; NaN when nothing was counted."""
        iou = self.iou()
        return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")

    def precision(self) -> Float[np.ndarray, " k"]:
        """Share of a class's predicted pixels that are right; NaN where none was predicted."""
        total = self.matrix.sum(0)
        return np.divide(np.diag(self.matrix), total, out=np.full(self.classes, np.nan), where=total > 0)

    def accuracy(self) -> float:
        """Share of counted pixels that are right, in 0..1; NaN when nothing was counted."""
        total = self.matrix.sum()
        return float(np.trace(self.matrix) / total) if total else float("nan")

    def void_share(self) -> float:
        """Share of the pixels with a truth on which the prediction abstained, in 0..1."""
        total = self.matrix.sum() + self.void
        return float(self.void / total) if total else float("nan")

    def worst_confusions(self, names: Sequence[str], count: int = 10) -> list[tuple[str, str, float]]:
        """The largest mistakes: (truth, prediction, share of the truth's pixels), most frequent first."""
        share = self.matrix / np.maximum(self.matrix.sum(1, keepdims=True), 1)
        np.fill_diagonal(share, 0)
        order = np.argsort(share, axis=None)[::-1][:count]
        pairs = [np.unravel_index(i, share.shape) for i in order]
        return [(names[t], names[p], float(share[t, p])) for t, p in pairs if share[t, p] > 0]


def image_miou(prediction: Integer[np.ndarray, "*n"], truth: Integer[np.ndarray, "*m"], classes: int) -> float:
    """mIoU of one image over the classes that occur in it; used to find the worst images."""
    single = Confusion(classes)
    single.add(prediction, truth)
    return single.miou()

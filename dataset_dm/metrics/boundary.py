"""Boundary F-score of class maps (Csurka et al. 2013): how close predicted outlines are to true ones.

mIoU hardly notices an outline that is two pixels off on a large object; this does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.ndimage import distance_transform_edt

from dataset_dm.labels.vocabulary import VOID

TOLERANCE = 0.0075  # of the image's diagonal


@dataclass
class Boundaries:
    """Outline pixels of the classes 1 … classes - 1, summed over images; background has no outline of its own.

    Args:
        classes: number of ids, background among them.
        tolerance: how far apart outlines may run, as a share of the diagonal; at least one pixel.
    """

    classes: int
    tolerance: float = TOLERANCE
    found: Int[np.ndarray, "k 2"] = field(init=False)  # outline pixels of the labels; how many lie near a true one
    true: Int[np.ndarray, "k 2"] = field(init=False)  # the same of the truth

    def __post_init__(self) -> None:
        self.found, self.true = (np.zeros((self.classes, 2), dtype=np.int64) for _ in range(2))

    def add(self, prediction: UInt8[np.ndarray, "h w"], truth: UInt8[np.ndarray, "H W"]) -> None:
        """Count one image's class ids; where the truth is 255 there is no outline on either side.

        Raises:
            ValueError: sizes differ.
        """
        if prediction.shape != truth.shape:
            raise ValueError(f"boundary: labels have size {prediction.shape}, the truth {truth.shape}; they must agree")
        reach = max(1.0, self.tolerance * math.hypot(*truth.shape))
        prediction = np.where(truth == VOID, VOID, prediction)
        for k in np.union1d(np.unique(prediction), np.unique(truth)):
            if 0 < k < self.classes:
                said, right = outline(prediction, int(k)), outline(truth, int(k))
                self.found[k] += (said.sum(), (said & near(right, reach)).sum())
                self.true[k] += (right.sum(), (right & near(said, reach)).sum())

    def f_score(self) -> Float[np.ndarray, " k"]:
        """F-score of each class in 0..1: harmonic mean of the shares of labelled and of true outline pixels that
        have a partner; NaN where neither side has an outline, and for background."""
        share = [np.divide(near, n, out=np.zeros(self.classes), where=n > 0) for n, near in (self.found.T, self.true.T)]
        total = share[0] + share[1]
        score = np.divide(2 * share[0] * share[1], total, out=np.zeros(self.classes), where=total > 0)
        return np.where(self.found[:, 0] + self.true[:, 0] > 0, score, np.nan)

    def mean(self) -> float:
        """Mean over the classes that occur; NaN when nothing was counted."""
        score = self.f_score()
        return float(np.nanmean(score)) if np.isfinite(score).any() else float("nan")


def outline(label: UInt8[np.ndarray, "h w"], class_id: int) -> Bool[np.ndarray, "h w"]:
    """Pixels of a class beside (up, down, left, right) another class; void and the frame are no others."""
    mask, other = label == class_id, (label != class_id) & (label != VOID)
    padded = np.pad(other, 1)
    height, width = label.shape
    beside = np.zeros_like(mask)
    for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
        beside |= padded[y : y + height, x : x + width]
    return mask & beside


def near(pixels: Bool[np.ndarray, "h w"], reach: float) -> Bool[np.ndarray, "h w"]:
    """Where a marked pixel is at most `reach` pixels away."""
    return distance_transform_edt(~pixels) <= reach if pixels.any() else np.zeros_like(pixels)

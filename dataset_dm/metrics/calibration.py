"""Calibration: how close confidence is to the share of correct predictions.

Reliability bins and the expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks"),
summed over images, and the one temperature that fits held-out logits best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F

from dataset_dm.labels.vocabulary import VOID

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass
class Reliability:
    """Equal-width confidence bins over 0..1: how many fell in, their mean confidence, how many were right."""

    bins: int = 15
    count: Float[np.ndarray, " bins"] = field(default=None)  # type: ignore[assignment]
    confidence: Float[np.ndarray, " bins"] = field(default=None)  # type: ignore[assignment]  # summed, not averaged
    correct: Float[np.ndarray, " bins"] = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for name in ("count", "confidence", "correct"):
            if getattr(self, name) is None:
                setattr(self, name, np.zeros(self.bins, dtype=float))

    def add(self, confidence: Float[np.ndarray, "*n"], correct: Bool[np.ndarray, "*m"]) -> None:
        """Count predictions of any shape: confidence in 0..1, and whether each is correct.

        Raises:
            ValueError: shapes differ or a confidence is outside 0..1 (or NaN).
        """
        confidence, correct = np.asarray(confidence, dtype=float).ravel(), np.asarray(correct, dtype=bool).ravel()
        if confidence.shape != correct.shape:
            raise ValueError(f"reliability: {confidence.size} confidences but {correct.size} outcomes; give one each")
        if confidence.size and not (confidence.min() >= 0 and confidence.max() <= 1 + 1e-6):
            raise ValueError(f"reliability: confidences must be in 0..1, got {confidence.min()} … {confidence.max()}")
        index = np.minimum((confidence * self.bins).astype(int), self.bins - 1)
        self.count += np.bincount(index, minlength=self.bins)
        self.confidence += np.bincount(index, weights=confidence, minlength=self.bins)
        self.correct += np.bincount(index, weights=correct, minlength=self.bins)

    def add_foreground(
        self,
        prediction: Integer[np.ndarray, "*n"],
        confidence: Float[np.ndarray, "*n"],
        truth: Integer[np.ndarray, "*n"],
    ) -> None:
        """Count the pixels *predicted* as an object; background is easy and makes every annotator look calibrated.

        Args:
            prediction: argmax class ids before voiding.
            confidence: probability of that class in 0..1.
            truth: class ids; pixels that are 255 are left out.
        """
        chosen = (prediction > 0) & (prediction != VOID) & (truth != VOID)
        # Probabilities stored in half precision may sum to a hair above one.
        self.add(np.minimum(confidence[chosen].astype(float), 1.0), prediction[chosen] == truth[chosen])

    def ece(self) -> float:
        """Expected calibration error in 0..1: mean |right - confident| over bins, weighted by count; NaN if empty."""
        total = self.count.sum()
        return float(np.abs(self.correct - self.confidence).sum() / total) if total else float("nan")

    def mean_confidence(self) -> Float[np.ndarray, " bins"]:
        """Mean confidence of each bin; NaN where empty."""
        return np.divide(self.confidence, self.count, out=np.full(self.bins, np.nan), where=self.count > 0)

    def accuracy(self) -> Float[np.ndarray, " bins"]:
        """Share of correct predictions in each bin; NaN where empty."""
        return np.divide(self.correct, self.count, out=np.full(self.bins, np.nan), where=self.count > 0)


def fit_temperature(
    logits: Float[Tensor, "*n k"], target: Integer[Tensor, "*m"], *, low: float = 0.05, high: float = 20.0
) -> float:
    """The temperature T that minimises the cross-entropy of `softmax(logits / T)` on held-out pixels.

    Args:
        logits: of n pixels; log-probabilities will do.
        target: class ids; 255 is left out.

    Returns:
        T in low..high; 1 leaves the logits as they are, above 1 lowers its confidence.

    Raises:
        ValueError: shapes do not fit, or no pixel is left.
    """
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ValueError(f"fit_temperature: want logits [n k] and target [n], got {logits.shape} and {target.shape}")
    known = target != VOID
    logits, target = logits[known].double(), target[known].long()
    if not len(target):
        raise ValueError("fit_temperature: every pixel is void; give pixels with a known class")

    def loss(log_t: float) -> float:
        return float(F.cross_entropy(logits / math.exp(log_t), target))

    # The loss is convex in 1 / T, hence has one valley in log T: golden-section search needs no gradient, no step size.
    a, b = math.log(low), math.log(high)
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_c, at_d = loss(c), loss(d)
    while b - a > 1e-4:
        if at_c < at_d:
            b, d, at_d = d, c, at_c
            c = b - GOLDEN * (b - a)
            at_c = loss(c)
        else:
            a, c, at_c = c, d, at_d
            d = a + GOLDEN * (b - a)
            at_d = loss(d)
    return math.exp((a + b) / 2)


def log_probabilities(probabilities: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
    """Probabilities as logits for `fit_temperature`, floored so that a zero stays finite."""
    return torch.log(probabilities.clamp_min(1e-8))

"""Depth metrics, summed over the pixels of many images (Eigen et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FACTOR = 1.25  # δ1: within this factor of the truth; δ2 and δ3: within its square and its cube
NEAREST = 0.01  # metres; what a missing depth is taken for where a logarithm needs one


@dataclass
class DepthErrors:
    """Sums over all pixels whose true depth is known.

    A pixel that the annotator leaves unknown (0) counts as a depth of 0 m: its relative error is 1 and it is within no
    factor. Leaving hard pixels out thus gains nothing; `coverage` says how many were left out.

    The aligned figures are taken after each image's depth was multiplied by the one factor that fits best (the median
    of true over said): what is left of the error when the scale of the scene is known. One image does not tell it
    where cameras of any focal length look at objects of any size.
    """

    pixels: int = 0
    answered: int = 0
    relative: float = 0.0
    squares: float = 0.0
    logs: float = 0.0
    within: tuple[int, int, int] = (0, 0, 0)
    aligned_relative: float = 0.0
    aligned_within: int = 0

    def add(self, depth: Float[np.ndarray, "h w"], truth: Float[np.ndarray, "H W"]) -> None:
        """Count one image: depth and truth in metres, 0 unknown.

        Raises:
            ValueError: sizes differ, or a depth is negative or no number.
        """
        if depth.shape != truth.shape:
            raise ValueError(f"depth: labels have size {depth.shape}, the truth {truth.shape}; they must agree")
        if not (np.isfinite(depth).all() and (depth >= 0).all()):
            raise ValueError(f"depth: got {depth.min()} … {depth.max()}, expected metres of at least 0, 0 for unknown")
        known = truth > 0
        said, true = depth[known].astype(float), truth[known].astype(float)
        ratio = factor(said, true)
        self.pixels += said.size
        self.answered += int((said > 0).sum())
        self.relative += float((np.abs(said - true) / true).sum())
        self.squares += float(((said - true) ** 2).sum())
        self.logs += float(np.abs(np.log10(np.maximum(said, NEAREST)) - np.log10(true)).sum())
        self.within = tuple(n + int((ratio < FACTOR ** (i + 1)).sum()) for i, n in enumerate(self.within))  # type: ignore[assignment]
        answered = said > 0
        scale = float(np.median(true[answered] / said[answered])) if answered.any() else 1.0
        self.aligned_relative += float((np.abs(scale * said - true) / true).sum())
        self.aligned_within += int((factor(scale * said, true) < FACTOR).sum())

    def figures(self) -> dict[str, float]:
        """rel, rmse_m, log10, delta1 … delta3, aligned_rel, aligned_delta1, coverage; NaN when no depth was known."""
        n = self.pixels or float("nan")
        deltas = {f"delta{i + 1}": count / n for i, count in enumerate(self.within)}
        sums = {"rel": self.relative / n, "rmse_m": (self.squares / n) ** 0.5, "log10": self.logs / n}
        aligned = {"aligned_rel": self.aligned_relative / n, "aligned_delta1": self.aligned_within / n}
        return {**sums, **deltas, **aligned, "coverage": self.answered / n}


def factor(depth: Float[np.ndarray, "*n"], truth: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """The larger of depth / truth and truth / depth, at least 1; infinite where the depth is unknown (0)."""
    with np.errstate(divide="ignore"):
        return np.maximum(depth / truth, truth / depth)


def relative_error(depth: Float[np.ndarray, "h w"], truth: Float[np.ndarray, "H W"]) -> float:
    """REL of one image; NaN when no true depth is known."""
    one = DepthErrors()
    one.add(depth, truth)
    return one.figures()["rel"]

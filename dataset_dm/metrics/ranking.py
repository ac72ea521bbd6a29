"""AUROC of a score for correct answers, summed over images."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass
class Ranking:
    """Counts of right and wrong answers by their score, in `bins` equal steps of 0..1; equal steps count as a tie.

    Example:
        >>> ranking = Ranking()
        >>> ranking.add(np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False]))
        >>> ranking.auroc()
        0.75
    """

    bins: int = 2000
    right: Int[np.ndarray, " steps"] = field(init=False)
    wrong: Int[np.ndarray, " steps"] = field(init=False)

    def __post_init__(self) -> None:
        self.right, self.wrong = (np.zeros(self.bins + 1, dtype=np.int64) for _ in range(2))

    def add(self, score: Float[np.ndarray, "*n"] | Bool[np.ndarray, "*n"], right: Bool[np.ndarray, "*m"]) -> None:
        """Count answers of any shape: score in 0..1, and whether each is right.

        Raises:
            ValueError: shapes differ, or a score is outside 0..1 (or NaN).
        """
        score, right = np.asarray(score, dtype=float).ravel(), np.asarray(right, dtype=bool).ravel()
        if score.shape != right.shape:
            raise ValueError(f"ranking: {score.size} scores but {right.size} outcomes; give one each")
        if score.size and not (score.min() >= 0 and score.max() <= 1 + 1e-6):
            raise ValueError(f"ranking: scores must be in 0..1, got {score.min()} … {score.max()}")
        steps = np.minimum(np.rint(score * self.bins), self.bins).astype(int)
        self.right += np.bincount(steps[right], minlength=self.bins + 1)
        self.wrong += np.bincount(steps[~right], minlength=self.bins + 1)

    def auroc(self) -> float:
        """Chance that a right answer has a higher score than a wrong one, 0..1; NaN with answers of one kind only."""
        pairs = float(self.right.sum()) * float(self.wrong.sum())
        if not pairs:
            return float("nan")
        below = np.cumsum(self.wrong) - self.wrong  # wrong answers with a lower score
        return float((self.right * (below + self.wrong / 2)).sum() / pairs)

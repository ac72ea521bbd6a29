"""Match found instances to true ones by the overlap of their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from dataset_dm.labels.instances import Instances

RIGHT = 0.5  # IoU at which outline and class count as right: what an object's score is the chance of


@dataclass(frozen=True)
class Matches:
    """How n found instances match m true ones.

    Args:
        iou: in 0..1.
        truth: the true instance of the same class with an IoU of at least 0.5, else -1. Each true one is
            matched once, to the highest score.
        ignored: unmatched, and at least half on ignored pixels: neither right nor wrong.
    """

    iou: Float[np.ndarray, "n m"]
    truth: Int[np.ndarray, " n"]
    ignored: Bool[np.ndarray, " n"]

    def quality(self, scores: Float[np.ndarray, " n"]) -> float:
        """How well the instances were found, 0..1: panoptic quality (Kirillov et al. 2019) in which a false find
        weighs by its score; 1 where there is none and none was found."""
        hit = self.truth >= 0
        false = float(scores[~hit & ~self.ignored].sum())
        missed = self.iou.shape[1] - int(hit.sum())
        overlap = float(self.iou[np.flatnonzero(hit), self.truth[hit]].sum())
        weight = int(hit.sum()) + 0.5 * false + 0.5 * missed
        return overlap / weight if weight else 1.0


def match(found: Instances, truth: Instances) -> Matches:
    """Overlaps and matches of one image's found instances, which have scores, with its true ones.

    Raises:
        ValueError: masks and truth differ in size.
    """
    if found.map.shape != truth.map.shape:
        got, wanted = found.map.shape, truth.map.shape
        raise ValueError(f"matching: masks have size {got}, the truth {wanted}; they must agree")
    true = len(truth)
    # one row for each found instance, columns: ignored, no instance, the true instances
    pairs = (found.map.astype(np.int64) * (true + 2) + truth.map + 1)[found.map > 0]
    shared = np.bincount(pairs, minlength=(len(found) + 1) * (true + 2)).reshape(-1, true + 2)[1:]
    areas = shared.sum(1)
    inside = shared[:, 2:]
    union = areas[:, None] + truth.areas[None] - inside
    iou = inside / np.maximum(union, 1)
    matched = np.full(len(found), -1, dtype=np.int64)
    free = np.ones(true, dtype=bool)
    for i in np.argsort(-found.scores, kind="stable"):
        candidates = np.where(free & (truth.classes == found.classes[i]), iou[i], -1.0)
        if true and candidates.max() >= RIGHT:
            matched[i] = int(candidates.argmax())
            free[matched[i]] = False
    ignored = (matched < 0) & (shared[:, 0] >= 0.5 * np.maximum(areas, 1))
    return Matches(iou, matched, ignored)

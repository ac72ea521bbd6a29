"""Which found thing is which true thing, by the overlap of their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.labels.records import VOID, Objects
from dataset_dm.readers.labelled import Instances

RIGHT = 0.5  # IoU at which outline and class count as right: what an object's score is the chance of


@dataclass(frozen=True)
class Matches:
    """How n found things meet m true ones.

    Args:
        iou: float [n m] in 0..1.
        truth: int64 [n]; the true thing of the same class that a found one covers with an IoU of at least 0.5, else -1.
            No true thing is given away twice: the surer one has it.
        ignored: bool [n]; unmatched, and at least half on pixels that nobody labelled: neither right nor wrong.
    """

    iou: np.ndarray
    truth: np.ndarray
    ignored: np.ndarray

    def quality(self, scores: np.ndarray) -> float:
        """How well the picture's things were found, 0..1: panoptic quality (Kirillov et al. 2019) in which a false find
        weighs by its score; 1 where nothing is and nothing was found."""
        hit = self.truth >= 0
        false = float(scores[~hit & ~self.ignored].sum())
        missed = self.iou.shape[1] - int(hit.sum())
        overlap = float(self.iou[np.flatnonzero(hit), self.truth[hit]].sum())
        weight = int(hit.sum()) + 0.5 * false + 0.5 * missed
        return overlap / weight if weight else 1.0


def match(objects: Objects, truth: Instances) -> Matches:
    """Overlaps and matches of one picture's objects, masks bool [n H W], with its true things.

    Raises:
        ValueError: masks and truth differ in size.
    """
    if objects.masks.shape[1:] != truth.map.shape:
        got, wanted = objects.masks.shape[1:], truth.map.shape
        raise ValueError(f"matching: masks have size {got}, the truth {wanted}; they must agree")
    found, true = len(objects), len(truth)
    shared = np.stack([np.bincount(truth.map[mask], minlength=256) for mask in objects.masks]) if found else None
    shared = np.zeros((0, 256), dtype=np.int64) if shared is None else shared
    areas, sizes = shared.sum(1), np.bincount(truth.map.ravel(), minlength=256)
    inside = shared[:, 1 : true + 1]
    union = areas[:, None] + sizes[None, 1 : true + 1] - inside
    iou = inside / np.maximum(union, 1)
    matched = np.full(found, -1, dtype=np.int64)
    free = np.ones(true, dtype=bool)
    for i in np.argsort(-objects.scores, kind="stable"):
        candidates = np.where(free & (truth.classes == objects.classes[i]), iou[i], -1.0)
        if true and candidates.max() >= RIGHT:
            matched[i] = int(candidates.argmax())
            free[matched[i]] = False
    ignored = (matched < 0) & (shared[:, VOID] >= 0.5 * np.maximum(areas, 1))
    return Matches(iou, matched, ignored)

"""OKS AP of people's joints, and the same closeness for a single joint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dataset_dm.labels import rle
from dataset_dm.labels.records import VOID, Objects
from dataset_dm.metrics.coco import Precision, average_precision
from dataset_dm.readers.labelled import Instances

# How far apart annotators of COCO place a joint, as a share of a person's size (square root of the area); COCO's order.
SIGMAS = np.array(
    [.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089]
)  # fmt: skip
CLOSE = 0.5  # of the similarity: a joint so near is where it is said to be


def similarity(found: np.ndarray, true: np.ndarray, area: float) -> np.ndarray:
    """OKS of single joints, float [17] in 0..1: exp(-d² / (2 s² k²)) with s² the person's area and k twice the sigma.

    Args:
        found, true: [17 2 or 3], x and y in pixels.
        area: of the true person, pixels.
    """
    squares = ((found[:, :2].astype(float) - true[:, :2]) ** 2).sum(1)
    return np.exp(-squares / (2 * (2 * SIGMAS) ** 2 * (area + np.spacing(1))))


@dataclass
class Poses:
    """Truth and finds of the people of many pictures; `person` is their class id.

    A find ranks by its object's score times the mean score of the joints it claims. One without any joint claims no
    pose; a true person without a labelled joint has none to find and is ignored, as COCO does.
    """

    person: int
    sizes: list[tuple[int, int]] = field(default_factory=list)  # (H, W) of the pictures counted
    _truth: list[dict[str, Any]] = field(default_factory=list)
    _found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, objects: Objects, truth: Instances) -> None:
        """Count one picture, of which both sides have keypoints.

        Raises:
            ValueError: poses were not read, or the truth has none.
        """
        if objects.keypoints is None or objects.keypoint_scores is None:
            raise ValueError("poses: the objects have no keypoints; annotate with the task pose")
        if truth.keypoints is None:
            raise ValueError("poses: the truth has no keypoints")
        for i in np.flatnonzero(truth.classes == self.person):
            self._truth += self._entry(truth.map == i + 1, truth.keypoints[i], iscrowd=0)
        if (truth.map == VOID).any():
            self._truth += self._entry(truth.map == VOID, np.zeros((len(SIGMAS), 3)), iscrowd=1)
        for i in np.flatnonzero(objects.classes == self.person):
            claimed = objects.keypoints[i, :, 2] > 0
            if claimed.any():
                score = float(objects.scores[i] * objects.keypoint_scores[i, claimed].mean())
                self._found += self._entry(objects.masks[i], objects.keypoints[i], score=score)
        self.sizes.append(truth.map.shape)

    def precision(self) -> Precision:
        """OKS AP over all pictures counted so far."""
        return average_precision("keypoints", self.sizes, [self.person], self._truth, self._found)

    def _entry(self, mask: np.ndarray, points: np.ndarray, **more: Any) -> list[dict[str, Any]]:
        if not mask.any():
            return []
        form = {"bbox": list(rle.box(mask)), "area": float(mask.sum()), "num_keypoints": int((points[:, 2] > 0).sum())}
        joints = points.astype(float).ravel().tolist()
        return [{"image_id": len(self.sizes), "category_id": self.person, "keypoints": joints, **form, **more}]

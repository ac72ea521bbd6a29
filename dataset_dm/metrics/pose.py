"""OKS AP of people's joints, and the same closeness for a single joint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS, SIGMAS
from dataset_dm.labels.instances import Instances
from dataset_dm.metrics.coco import Precision, average_precision

CLOSE = 0.5  # of the similarity: a joint so near is where it is said to be


def similarity(
    found: Float[np.ndarray, "17 c"], true: Float[np.ndarray, "17 d"], area: float
) -> Float[np.ndarray, " 17"]:
    """OKS of single joints in 0..1: exp(-d² / (2 s² k²)) with s² the person's area and k twice the sigma.

    Args:
        found, true: x and y in pixels; further columns are left out.
        area: of the true person, pixels.
    """
    squares = ((found[:, :2].astype(float) - true[:, :2]) ** 2).sum(1)
    return np.exp(-squares / (2 * (2 * np.array(SIGMAS)) ** 2 * (area + np.spacing(1))))


@dataclass
class Poses:
    """Truth and finds of the people of many images; `person` is their class id.

    A find ranks by its object's score times the mean score of the joints it claims. One without any joint claims no
    pose; a true person without a labelled joint has none to find and is ignored, as COCO does.
    """

    person: int
    sizes: list[tuple[int, int]] = field(default_factory=list)  # (H, W) of the images counted
    _truth: list[dict[str, Any]] = field(default_factory=list)
    _found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, found: Instances, truth: Instances) -> None:
        """Count one image, of which both sides have keypoints; `found` has scores.

        Raises:
            ValueError: poses were not read, or the truth has none.
        """
        if found.keypoints is None or found.keypoint_scores is None:
            raise ValueError("poses: the objects have no keypoints; annotate with the task pose")
        if truth.keypoints is None:
            raise ValueError("poses: the truth has no keypoints")
        people = truth.select(np.flatnonzero(truth.classes == self.person))
        for mask, points in zip(people.masks, people.keypoints, strict=True):
            self._truth += self._entry(mask, points, iscrowd=0)
        self._truth += self._entry(truth.ignored, np.zeros((JOINTS, 3)), iscrowd=1)
        people = found.select(np.flatnonzero(found.classes == self.person))
        for i, mask in enumerate(people.masks):
            claimed = people.keypoints[i, :, 2] > 0
            if claimed.any():
                score = float(people.scores[i] * people.keypoint_scores[i, claimed].mean())
                self._found += self._entry(mask, people.keypoints[i], score=score)
        self.sizes.append(truth.map.shape)

    def precision(self) -> Precision:
        """OKS AP over all images counted so far."""
        return average_precision("keypoints", self.sizes, [self.person], self._truth, self._found)

    def _entry(self, mask: np.ndarray, points: np.ndarray, **more: Any) -> list[dict[str, Any]]:
        if not mask.any():
            return []
        form = {"bbox": list(rle.box(mask)), "area": float(mask.sum()), "num_keypoints": int((points[:, 2] > 0).sum())}
        joints = points.astype(float).ravel().tolist()
        return [{"image_id": len(self.sizes), "category_id": self.person, "keypoints": joints, **form, **more}]

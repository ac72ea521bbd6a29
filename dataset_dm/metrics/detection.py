"""AP of masks and boxes, class by class: truth and finds of images collected in COCO's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from dataset_dm.labels import rle
from dataset_dm.labels.instances import Instances
from dataset_dm.metrics.coco import Precision, average_precision

COCO_SIDE = 640  # pixels; COCO's limits of small and medium, 32² and 96², are meant for images of about this side


@dataclass
class Detections:
    """Truth and finds of many images over `classes` (names without background; class id i + 1 is the i-th).

    Areas are scaled by (640 / longer side)², so that "small" is as small a part of a image as it is in COCO. Ignored
    pixels of the truth are a crowd of every class: what is found there counts neither way.
    """

    classes: Sequence[str]
    sizes: list[tuple[int, int]] = field(default_factory=list)  # (H, W) of the images counted
    _truth: list[dict[str, Any]] = field(default_factory=list)
    _found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, found: Instances, truth: Instances) -> None:
        """Count one image; `found` has scores.

        Raises:
            ValueError: a class id outside 1 … k on either side.
        """
        for who, ids in (("found", found.classes), ("true", truth.classes)):
            wrong = [int(i) for i in ids if not 1 <= i <= len(self.classes)]
            if wrong:
                raise ValueError(
                    f"detections: a {who} instance has class {wrong[0]}, the task has 1..{len(self.classes)}"
                )
        for mask, class_id in zip(truth.masks, truth.classes, strict=True):
            self._truth += self._entry(mask, int(class_id), iscrowd=0)
        for class_id in range(1, len(self.classes) + 1):
            self._truth += self._entry(truth.ignored, class_id, iscrowd=1)
        for mask, class_id, score in zip(found.masks, found.classes, found.scores, strict=True):
            self._found += self._entry(mask, int(class_id), iscrowd=0, score=float(score))
        self.sizes.append(truth.map.shape)

    def precision(self, kind: Literal["segm", "bbox"]) -> Precision:
        """AP over all images counted so far; `segm` by masks, `bbox` by their boxes."""
        categories = range(1, len(self.classes) + 1)
        return average_precision(kind, self.sizes, categories, self._truth, self._found)

    def _entry(self, mask: np.ndarray, class_id: int, **more: Any) -> list[dict[str, Any]]:
        """The annotation of one mask in a list; none when the mask is empty."""
        if not mask.any():
            return []
        scale = (COCO_SIDE / max(mask.shape)) ** 2
        form = {"segmentation": rle.encode(mask), "bbox": list(rle.box(mask)), "area": float(mask.sum()) * scale}
        return [{"image_id": len(self.sizes), "category_id": class_id, **form, **more}]

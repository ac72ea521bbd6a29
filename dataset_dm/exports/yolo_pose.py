"""Ultralytics' keypoints: `0 x y w h`, then x, y, v of COCO's 17 points; people are the only class."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Float64

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.unsupported import DETAILS, KEYPOINT_SCORES, MASKS, OTHERS, POINTS_OUTSIDE
from dataset_dm.exports.yolo import Yolo, box_numbers, box_of, shares
from dataset_dm.labels.coco import JOINTS, MIRRORED
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import PERSON


class YoloPose(Yolo):
    """Replaced by the list of what it does not support."""

    name = "yolo-pose"
    title = "Ultralytics YOLO, keypoints"
    unsupported = (OTHERS, MASKS, KEYPOINT_SCORES, POINTS_OUTSIDE, *DETAILS)

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:
        if PERSON not in classes:
            raise DataError(explain(f"{self.name}: classes", got=", ".join(classes), expected=f"a class {PERSON!r}"))
        if "keypoints" not in columns:
            remedy = "take a set with keypoints, such as coco_synth's config keypoints"
            raise DataError(explain(f"{self.name}: objects have no field keypoints", remedy=remedy))

    def names(self, classes: Sequence[str]) -> list[str]:
        return [PERSON]

    def more(self) -> str:
        return f"kpt_shape: [{JOINTS}, 3]\nflip_idx: {list(MIRRORED)}"

    def supports(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        return super().supports(instance, classes) and classes[instance.category] == PERSON

    def numbers(self, instance: FileInstance, size: Size) -> Float64[np.ndarray, " n"]:
        height, width = size
        points = np.zeros((JOINTS, 3)) if instance.keypoints is None else instance.keypoints
        inside = ((points[:, :2] >= 0) & (points[:, :2] <= (width, height))).all(axis=1)
        points = np.where(inside[:, None], points / (width, height, 1), 0)
        return np.concatenate([box_numbers(instance, size), points.ravel()])

    def columns(self, count: int) -> str | None:
        return None if count == 4 + 3 * JOINTS else f"expected x, y, w, h and x, y, v of {JOINTS} keypoints"

    def instance(self, category: int, numbers: Float64[np.ndarray, " n"], size: Size, place: str) -> FileInstance:
        points = numbers[4:].reshape(JOINTS, 3)
        if not np.isin(points[:, 2], (0, 1, 2)).all():
            expected = "0, 1 (hidden) or 2 (seen)"
            raise DataError(explain(f"{place}: visibility of a keypoint", got=points[:, 2].tolist(), expected=expected))
        pixels = np.column_stack([shares(points[:, :2], size, place), points[:, 2]])
        keypoints = np.where(points[:, 2:] > 0, pixels, 0)
        return FileInstance(category=category, box=box_of(numbers[:4], size, place), keypoints=keypoints)

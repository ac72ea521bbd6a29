"""Ultralytics' masks: `class x1 y1 x2 y2 …`, one polygon per object, along the edges of its pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.polygons import fill, joined, outlines
from dataset_dm.exports.unsupported import DETAILS, KEYPOINTS, LOOSE_BOXES, NO_MASK, PARTS
from dataset_dm.exports.yolo import Yolo, shares
from dataset_dm.labels.file_instance import FileInstance, Size


class YoloSeg(Yolo):
    """Replaced by the list of what it does not support."""

    name = "yolo-seg"
    title = "Ultralytics YOLO, masks"
    unsupported = (PARTS, NO_MASK, LOOSE_BOXES, KEYPOINTS, *DETAILS)

    def supports(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        return instance.mask is not None

    def numbers(self, instance: FileInstance, size: Size) -> Float64[np.ndarray, " n"]:
        return (joined(outlines(instance.mask)) / (size[1], size[0])).ravel()

    def columns(self, count: int) -> str | None:
        return None if count >= 6 and count % 2 == 0 else "expected x and y of at least three points"

    def instance(self, category: int, numbers: Float64[np.ndarray, " n"], size: Size, place: str) -> FileInstance:
        mask = fill(shares(numbers.reshape(-1, 2), size, place), size)
        if not mask.any():
            raise DataError(explain(f"{place}: the polygon covers no pixel", remedy="leave the line out"))
        return FileInstance(category=category, mask=mask)

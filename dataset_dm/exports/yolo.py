"""Ultralytics' boxes: `class x y w h`, the centre and the sides as shares of the picture's."""

from __future__ import annotations

import numpy as np

from dataset_dm.exports.base import Size
from dataset_dm.exports.unsupported import CLASS_MAPS, CROWDS, DEPTH, KEYPOINTS, MASKS, SCORES, VOID_PIXELS
from dataset_dm.exports.yolo_folder import YoloFormat, box_numbers, box_of
from dataset_dm.labels.file_instance import FileInstance


class Yolo(YoloFormat):
    """See above."""

    name = "yolo"
    title = "Ultralytics YOLO, boxes"
    cannot = (MASKS, KEYPOINTS, SCORES, CROWDS, CLASS_MAPS, VOID_PIXELS, DEPTH)

    def numbers(self, instance: FileInstance, size: Size) -> np.ndarray:
        return box_numbers(instance, size)

    def columns(self, count: int) -> str | None:
        return None if count == 4 else "expected x, y, w, h alone"

    def instance(self, category: int, numbers: np.ndarray, size: Size, place: str) -> FileInstance:
        return FileInstance(category=category, box=box_of(numbers, size, place))

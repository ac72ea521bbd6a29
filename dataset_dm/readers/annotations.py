"""One object of a COCO-like annotation: its box, mask and keypoints, checked and in our convention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dataset_dm.errors import explain
from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS
from dataset_dm.readers.labelled import SampleError

_TOLERANCE = 1.0  # pixels by which a box may reach over the edge: some tools count its sides that way


def check_box(box: Any, size: tuple[int, int], name: str) -> None:
    """SampleError unless a box (x, y, w, h in pixels) lies in a picture of `size` (H, W)."""
    try:
        x, y, w, h = (float(value) for value in box)
    except (TypeError, ValueError):
        raise SampleError("box outside the image", explain(f"{name}: box", got=box, expected="x, y, w, h")) from None
    height, width = size
    inside = x >= -_TOLERANCE and y >= -_TOLERANCE and x + w <= width + _TOLERANCE and y + h <= height + _TOLERANCE
    if not (inside and w >= 0 and h >= 0):  # also when one is NaN
        expected = f"x, y, w, h of 0 or more within {width}×{height}"
        remedy = "mend the box, or leave the sample out"
        raise SampleError(
            "box outside the image", explain(f"{name}: box", got=[x, y, w, h], expected=expected, remedy=remedy)
        )


def mask_of(segmentation: Any, size: tuple[int, int], name: str) -> np.ndarray:
    """The mask, bool [H W], of polygons, of a compressed or of an uncompressed RLE; SampleError when it is none."""
    try:
        form = segmentation if isinstance(segmentation, Mapping) else _from_polygons(segmentation, size)
        height, width = (int(side) for side in form["size"])
        # before decoding: a damaged size would ask for any amount of memory
        if (height, width) != tuple(size):
            message = f"{name}: segmentation is {width}×{height}, its image {size[1]}×{size[0]}; they must be equal"
            raise SampleError("wrong size", message)
        return rle.decode(form)
    except SampleError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:120]
        message = explain(f"{name}: segmentation ({reason})", expected="polygons or RLE", remedy="mend it")
        raise SampleError("damaged segmentation", message) from error


def _from_polygons(polygons: Any, size: tuple[int, int]) -> dict[str, Any]:
    """RLE of polygons; ValueError when a point lies further off than the picture is large, which no tool draws and
    whose outline would take any amount of memory."""
    flat = len(polygons) > 0 and isinstance(polygons[0], (int, float))
    polygons = [polygons] if flat else polygons  # somebody did not put a single one into a list
    for polygon in polygons:
        points = np.array(polygon[: len(polygon) // 2 * 2], np.float64).reshape(-1, 2)
        extent = np.array(size[::-1])
        if not ((points >= -extent) & (points <= 2 * extent)).all():  # also when one is NaN
            raise ValueError("a point far outside of the picture")
    return rle.from_polygons(polygons, size)


def keypoints_of(values: Any, size: tuple[int, int], name: str, shift: float) -> np.ndarray:
    """A person's keypoints, float32 [17 3] of (x, y, v); a point outside the picture counts as not labelled (v 0).

    Args:
        values: 51 numbers, or 17 times three.
        size: (H, W) of the picture.
        shift: 0.5 where the numbers are pixel indices, 0 where pixel centres already lie at .5.

    Raises:
        SampleError: not 17 points, or a v other than 0, 1, 2.
    """
    reason = "wrong keypoints"
    try:
        points = np.array(values, np.float64).reshape(-1, 3)
    except (TypeError, ValueError):
        points = None
    if points is None or len(points) != JOINTS or not np.isfinite(points).all():
        count = "values that are no points" if points is None else f"{len(points)} keypoints"
        message = f"{name}: {count}, expected {JOINTS} of x, y, v in COCO's order; leave them out or complete them"
        raise SampleError(reason, message)
    wrong = points[~np.isin(points[:, 2], (0, 1, 2)), 2]
    if wrong.size:
        raise SampleError(reason, f"{name}: keypoint with v {wrong[0]:g}, expected 0, 1 (hidden) or 2 (seen)")
    points[:, :2] += shift
    inside = (points[:, :2] >= 0).all(1) & (points[:, :2] <= (size[1], size[0])).all(1)
    points[~inside | (points[:, 2] == 0)] = 0
    return points.astype(np.float32)

"""One object of a COCO-like annotation as a `FileInstance`: its box, mask and keypoints are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from dataset_dm.errors import explain, reason_of
from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.file_instance import FileInstance
from dataset_dm.readers.labelled import SampleError

_TOLERANCE = 1.0  # pixels by which a box may reach over the edge: some tools count its sides that way


def stated_size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """(H, W) by the row's fields height and width; None unless both are positive whole numbers."""
    sides = row.get("height"), row.get("width")
    return sides if all(isinstance(side, int) and side > 0 for side in sides) else None


def instance_of(
    row: Mapping[str, Any],
    category: int,
    size: tuple[int, int],
    name: str,
    *,
    keypoints: Any = None,
    shift: float = 0.5,
) -> FileInstance:
    """The instance of an annotation with `segmentation`, and optionally `bbox` and `iscrowd`.

    Args:
        category: position in the class list, from 0.
        size: (H, W) of its image.
        name: what errors call it.
        keypoints, shift: see `keypoints_of`; None for an instance without keypoints.

    Raises:
        SampleError: no or a damaged segmentation, a box outside the image, wrong keypoints.
    """
    if row.get("bbox") is not None:
        check_box(row["bbox"], size, name)
    if not row.get("segmentation"):
        raise SampleError("damaged segmentation", f"{name}: no segmentation; a box alone is no mask")
    return FileInstance(
        mask=mask_of(row["segmentation"], size, name),
        category=category,
        crowd=bool(row.get("iscrowd")),
        keypoints=None if keypoints is None else keypoints_of(keypoints, size, name, shift),
    )


def check_box(box: Any, size: tuple[int, int], name: str) -> None:
    """SampleError unless a box (x, y, w, h in pixels) lies in an image of `size` (H, W)."""
    try:
        x, y, w, h = (float(value) for value in box)
    except (TypeError, ValueError):
        raise SampleError("box outside the image", explain(f"{name}: box", got=box, expected="x, y, w, h")) from None
    height, width = size
    inside = x >= -_TOLERANCE and y >= -_TOLERANCE and x + w <= width + _TOLERANCE and y + h <= height + _TOLERANCE
    if not (inside and w >= 0 and h >= 0):  # also when one is NaN
        expected = f"x, y, w, h of 0 or more within {width}×{height}"
        remedy = "mend the box, or leave the sample out"
        message = explain(f"{name}: box", got=[x, y, w, h], expected=expected, remedy=remedy)
        raise SampleError("box outside the image", message)


def mask_of(segmentation: Any, size: tuple[int, int], name: str) -> Bool[np.ndarray, "H W"]:
    """The mask of polygons or of a compressed or uncompressed RLE; SampleError for any other value."""
    try:
        form = segmentation if isinstance(segmentation, Mapping) else _from_polygons(segmentation, size)
        height, width = (int(side) for side in form["size"])
        # before decoding: a damaged size could allocate any amount of memory
        if (height, width) != tuple(size):
            message = f"{name}: segmentation is {width}×{height}, its image {size[1]}×{size[0]}; they must be equal"
            raise SampleError("wrong size", message)
        return rle.decode(form)
    except SampleError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        message = explain(f"{name}: segmentation ({reason_of(error)})", expected="polygons or RLE", remedy="mend it")
        raise SampleError("damaged segmentation", message) from error


def _from_polygons(polygons: Any, size: tuple[int, int]) -> dict[str, Any]:
    """RLE of polygons; ValueError for a point that lies further outside than the image is large: no tool draws it, and
    rasterising it could take any amount of memory."""
    flat = len(polygons) > 0 and isinstance(polygons[0], (int, float))
    polygons = [polygons] if flat else polygons  # a single polygon outside of a list
    for polygon in polygons:
        points = np.array(polygon[: len(polygon) // 2 * 2], np.float64).reshape(-1, 2)
        extent = np.array(size[::-1])
        if not ((points >= -extent) & (points <= 2 * extent)).all():  # also when one is NaN
            raise ValueError("a point far outside of the image")
    return rle.from_polygons(polygons, size)


def keypoints_of(values: Any, size: tuple[int, int], name: str, shift: float) -> Float32[np.ndarray, "17 3"]:
    """A person's keypoints (x, y, v); a point outside the image counts as not labelled (v 0).

    Args:
        values: 51 numbers, or 17 times three.
        size: (H, W) of the image.
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

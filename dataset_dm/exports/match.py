"""Finds the object of the set for every object in corrected files: equal objects first, then by overlap of boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from pycocotools import mask as coco

from dataset_dm.labels.file_instance import Box, FileInstance

_PIXELS = 0.05  # tools write coordinates with two decimals: smaller differences are rounding, not corrections
_SHARE = 5e-4  # likewise for scores
_SAME_PLACE = 0.3  # least overlap of boxes for a corrected object: half a box still counts, below it was replaced
FIELDS = tuple(entry.name for entry in fields(FileInstance) if entry.name != "number")


def changes(written: FileInstance, found: FileInstance) -> dict[str, Any]:
    """The fields of `found`, an instance of corrected files, that differ from what was written."""
    given = {name: getattr(found, name) for name in FIELDS if getattr(found, name) is not None}
    return {name: value for name, value in given.items() if not _equal(name, getattr(written, name), value)}


def matches(written: Sequence[FileInstance], found: Sequence[FileInstance]) -> list[int | None]:
    """For every found instance the position of its own in `written`; None for a new one."""
    own: dict[int, int] = {}
    for i, instance in enumerate(found):
        exact = (j for j in range(len(written)) if j not in own.values() and not changes(written[j], instance))
        if (place := next(exact, None)) is not None:
            own[i] = place
    left = [i for i in range(len(found)) if i not in own]
    free = [j for j in range(len(written)) if j not in own.values()]
    boxes, others = [found[i].bounds for i in left], [written[j].bounds for j in free]
    same = lambda i, j: found[left[i]].category == written[free[j]].category  # noqa: E731
    own |= {left[i]: free[j] for i, j in assign(boxes, others, _SAME_PLACE, same).items()}
    return [own.get(i) for i in range(len(found))]


def assign(
    boxes: Sequence[Box], others: Sequence[Box], least: float, preferred: Callable[[int, int], bool]
) -> dict[int, int]:
    """Position of a box → position of the other box that belongs to it, each used once.

    Preferred pairs come first, then those of larger overlap; an overlap below `least` is no pair.
    """
    overlap = overlaps(boxes, others)
    pairs = [(not preferred(i, j), -overlap[i, j], i, j) for i, j in np.argwhere(overlap >= least).tolist()]
    own: dict[int, int] = {}
    for *_, i, j in sorted(pairs):
        if i not in own and j not in own.values():
            own[i] = j
    return own


def overlaps(boxes: Sequence[Box], others: Sequence[Box]) -> Float[np.ndarray, "n m"]:
    """Intersection over union of every pair of boxes x, y, w, h."""
    if not boxes or not others:
        return np.zeros((len(boxes), len(others)))
    return np.asarray(coco.iou(np.array(boxes, np.float64), np.array(others, np.float64), [0] * len(others)))


def moved_points(before: Float[np.ndarray, "17 3"], now: Float[np.ndarray, "17 3"]) -> Bool[np.ndarray, " 17"]:
    """Which keypoints have another place or visibility."""
    return (np.abs(before - now) > _PIXELS).any(axis=1)


def _equal(name: str, before: Any, now: Any) -> bool:
    if before is None:
        return False
    if name == "mask":
        return bool(np.array_equal(before, now))
    if name == "keypoints":
        return not moved_points(before, now).any()
    if name in ("score", "keypoint_scores", "box"):
        return bool(np.allclose(before, now, rtol=0, atol=_PIXELS if name == "box" else _SHARE))
    return bool(before == now)

"""Which object of corrected files is which object of the set: the same one first, then the one at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from dataset_dm.labels.file_instance import Box, FileInstance

_PIXELS = 0.05  # tools write coordinates with two decimals: what moved less was not moved by a person
_SHARE = 5e-4  # likewise for scores
_SAME_PLACE = 0.3  # overlap of boxes from which on an object was corrected, not replaced: half a box is still its own
FIELDS = tuple(entry.name for entry in fields(FileInstance) if entry.name != "number")


def changes(seen: FileInstance, found: FileInstance) -> dict[str, Any]:
    """The fields that the files say, and say otherwise than they did when they were written."""
    said = {name: getattr(found, name) for name in FIELDS if getattr(found, name) is not None}
    return {name: value for name, value in said.items() if not _equal(name, getattr(seen, name), value)}


def matches(seen: Sequence[FileInstance], found: Sequence[FileInstance]) -> list[int | None]:
    """For every found instance the place of its own in `seen`; None for a new one."""
    own: list[int | None] = [None] * len(found)
    free = list(range(len(seen)))
    for i, instance in enumerate(found):
        exact = next((place for place in free if not changes(seen[place], instance)), None)
        if exact is not None:
            own[i] = exact
            free.remove(exact)
    pairs = [
        (instance.category != seen[place].category, -overlap(instance.bounds, seen[place].bounds), i, place)
        for i, instance in enumerate(found)
        if own[i] is None
        for place in free
    ]
    for _, close, i, place in sorted(pairs):
        if -close >= _SAME_PLACE and own[i] is None and place in free:
            own[i] = place
            free.remove(place)
    return own


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes x, y, w, h, 0..1."""
    (x0, y0, w0, h0), (x1, y1, w1, h1) = one, other
    width = min(x0 + w0, x1 + w1) - max(x0, x1)
    height = min(y0 + h0, y1 + h1) - max(y0, y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (w0 * h0 + w1 * h1 - shared)


def moved_points(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Which keypoints [17 3] lie elsewhere or are otherwise visible, bool [17]."""
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

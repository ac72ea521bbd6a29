"""The things of one image, painted into one map: crowds ignored, the smaller of two on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset_dm.readers.labelled import MOST, VOID, Instances

POINTS = 17  # COCO's keypoints of a person
PERSON = "person"


@dataclass(frozen=True)
class Thing:
    """One annotated object.

    Args:
        mask: bool [H W].
        class_id: i + 1 is the i-th class.
        crowd: a heap of things that nobody told apart: never trained on.
        keypoints: float32 [17 3] of a person, else None.
    """

    mask: np.ndarray
    class_id: int
    crowd: bool = False
    keypoints: np.ndarray | None = None


def paint(things: Sequence[Thing], size: tuple[int, int], poses: bool) -> tuple[np.ndarray, Instances]:
    """(owner, instances) of an image's things, in their order.

    A thing of which smaller ones cover every pixel is left out; beyond 254 things the smallest are ignored (255).

    Args:
        size: (H, W).
        poses: the set has keypoints.

    Returns:
        The class of every pixel, int64 [H W]: 0 no thing, -1 crowd; and the instances.
    """
    things = [thing for thing in things if thing.mask.any()]
    owner = np.zeros(size, np.int64)
    for thing in things:
        if thing.crowd:
            owner[thing.mask] = -1
    # the largest first: what is painted later lies on top
    order = sorted(range(len(things)), key=lambda row: -int(things[row].mask.sum()))
    for row in order:
        if not things[row].crowd:
            owner[things[row].mask] = row + 1
    pixels = np.bincount(owner[owner > 0], minlength=len(things) + 1)[1:]
    kept = [row for row in range(len(things)) if pixels[row]]
    if len(kept) > MOST:
        kept = sorted(sorted(kept, key=lambda row: -int(pixels[row]))[:MOST])
    ids = np.full(len(things) + 1, VOID, np.uint8)
    ids[0], ids[np.array(kept, np.int64) + 1] = 0, np.arange(1, len(kept) + 1)
    classes = np.array([0, *(thing.class_id for thing in things)], np.int64)
    crowd = owner < 0
    chosen = [things[row] for row in kept]
    instances = Instances(
        map=np.where(crowd, VOID, ids[owner]).astype(np.uint8),
        classes=np.array([thing.class_id for thing in chosen], np.int64),
        keypoints=stack_keypoints([thing.keypoints for thing in chosen]) if poses else None,
    )
    return np.where(crowd, -1, classes[owner]), instances


def stack_keypoints(points: Sequence[np.ndarray | None]) -> np.ndarray:
    """float32 [n 17 3]; a point that is not there, and every point of a thing that has none, is 0, 0, 0."""
    none = np.zeros((POINTS, 3), np.float32)
    stacked = np.array([none if each is None else each for each in points], np.float32).reshape(-1, POINTS, 3)
    return np.where(stacked[..., 2:] > 0, stacked, 0).astype(np.float32)

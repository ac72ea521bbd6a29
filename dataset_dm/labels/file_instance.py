"""What a file states about one instance, and how those of an image become maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt8

from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.labels.vocabulary import MOST_IDS, VOID

Box = tuple[float, float, float, float]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInstance:
    """One instance; what is not known, or not stated by a file, is None.

    Args:
        category: from 0; background is no instance.
        box: x, y, w, h in pixels.
        mask: bool [H W]; holes and several parts are fine. None also where a row has an empty one.
        score: 0..1.
        crowd: several objects that are not told apart.
        keypoints: float [17 3] of (x, y, v) in COCO's order, pixel centres at .5; v 0 not in the image (then x and y
            are 0), 1 hidden, 2 visible.
        keypoint_scores: float [17] in 0..1.
        number: its id in the source, unique in the split; in what `Format.seen` gives, its place in the sample.
    """

    category: int
    box: Box | None = None
    mask: Bool[np.ndarray, "H W"] | None = None
    score: float | None = None
    crowd: bool | None = None
    keypoints: Float[np.ndarray, "17 3"] | None = None
    keypoint_scores: Float[np.ndarray, " 17"] | None = None
    number: int | None = None

    @property
    def bounds(self) -> Box:
        """The box, else the mask's; ValueError for an instance that has neither."""
        if self.box is not None:
            return self.box
        if self.mask is None:
            raise ValueError("an instance without box and mask")
        return rle.box(self.mask)

    @property
    def posed(self) -> bool:
        """Whether one of its keypoints is in the image."""
        return self.keypoints is not None and bool((self.keypoints[:, 2] > 0).any())


def largest_first(instances: Iterable[FileInstance]) -> list[FileInstance]:
    """Those that have a mask by descending area: what is painted later lies on top."""
    return sorted((one for one in instances if one.mask is not None), key=lambda one: -int(one.mask.sum()))


def class_map(instances: Iterable[FileInstance], size: Size) -> UInt8[np.ndarray, "H W"]:
    """uint8 [H W], i + 1 for category i; the smaller one lies on top, crowds are void."""
    label = np.zeros(size, np.uint8)
    for one in largest_first(instances):
        label[one.mask] = VOID if one.crowd else one.category + 1
    return label


def paint(instances: Sequence[FileInstance], size: Size, poses: bool) -> tuple[Int64[np.ndarray, "H W"], Instances]:
    """(class of every pixel, instances) of instances with masks, in their order.

    Crowds are ignored and lie below; of two others the smaller one has a shared pixel. An instance without a pixel left
    is left out; beyond 254 the smallest are ignored.

    Args:
        size: (H, W).
        poses: the set has keypoints.

    Returns:
        int64 [H W]: i + 1 for category i, 0 no instance, -1 crowd; and the instances.
    """
    shown = [one for one in instances if one.mask is not None and one.mask.any()]
    crowd = np.zeros(size, bool)
    for one in shown:
        if one.crowd:
            crowd |= one.mask
    kept = [one for one in shown if not one.crowd]
    painted = Instances.from_masks(
        np.array([one.mask for one in kept], bool).reshape(-1, *size),
        np.array([one.category + 1 for one in kept], np.int64),
        keypoints=stack_keypoints([one.keypoints for one in kept]) if poses else None,
    )
    owner = np.array([0, *painted.classes], np.int64)[painted.map]
    free = crowd & (painted.map == 0)
    areas = painted.areas
    chosen = np.flatnonzero(areas)
    if len(chosen) > MOST_IDS:
        chosen = np.sort(chosen[np.argsort(-areas[chosen], kind="stable")][:MOST_IDS])
    found = painted.select(chosen, rest=IGNORED)
    found = Instances(map=np.where(free, IGNORED, found.map), classes=found.classes, keypoints=found.keypoints)
    return np.where(free, -1, owner), found


def stack_keypoints(points: Sequence[Float[np.ndarray, "17 3"] | None]) -> Float32[np.ndarray, "n 17 3"]:
    """float32 [n 17 3]; a point that is not labelled, and every point of an instance that has none, is 0, 0, 0."""
    none = np.zeros((JOINTS, 3), np.float32)
    stacked = np.array([none if each is None else each for each in points], np.float32).reshape(-1, JOINTS, 3)
    return np.where(stacked[..., 2:] > 0, stacked, 0).astype(np.float32)

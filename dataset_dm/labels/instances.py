"""The instances of one image: one map of numbers, and an entry of every other array for each instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt8

from dataset_dm.labels import rle
from dataset_dm.labels.vocabulary import MOST_IDS, VOID

IGNORED = -1  # in a map of instances: belongs to a crowd, or is not labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The n instances of one image; they share no pixel. Annotations have them by descending score.

    Args:
        map: [H W], held as int32; 0 no instance, i + 1 the i-th, IGNORED (-1) neither right nor wrong (in truth only).
        classes: int64 [n], ids as in a class map: i + 1 is the i-th class, 0 one that is not on the list.
        scores: float32 [n] in 0..1, calibrated chance that class and mask (IoU ≥ 0.5) are right; None in truth.
        keypoints: float32 [n 17 3] of (x, y, v) in COCO's order, pixels with centres at .5, v 0 not labelled or not in
            the image, 1 hidden, 2 visible; all zero for an instance without keypoints. None if poses are not known.
        keypoint_scores: float32 [n 17] in 0..1, chance that a point lies where it is stated; None in truth.
        boxes: float32 [n 4] of (x, y, w, h) in pixels where a file states them; None: those of the masks.

    Raises:
        ValueError: `map` has a number that no instance has.
    """

    map: Integer[np.ndarray, "H W"]
    classes: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"] | None = None
    keypoints: Float[np.ndarray, "n 17 3"] | None = None
    keypoint_scores: Float[np.ndarray, "n 17"] | None = None
    boxes: Float[np.ndarray, "n 4"] | None = None

    def __post_init__(self) -> None:
        numbers = np.asarray(self.map, dtype=np.int32)
        if numbers.size and not IGNORED <= numbers.min() <= numbers.max() <= len(self.classes):
            wrong = numbers.min() if numbers.min() < IGNORED else numbers.max()
            raise ValueError(f"instances: map has number {wrong}, expected {IGNORED}..{len(self.classes)}")
        object.__setattr__(self, "map", numbers)

    def __len__(self) -> int:
        return len(self.classes)

    @classmethod
    def from_masks(
        cls,
        masks: Bool[np.ndarray, "n H W"],
        classes: Int[np.ndarray, " n"],
        scores: Float[np.ndarray, " n"] | None = None,
        keypoints: Float[np.ndarray, "n 17 3"] | None = None,
        keypoint_scores: Float[np.ndarray, "n 17"] | None = None,
    ) -> Instances:
        """Instances of masks bool [n H W]; where two overlap, the smaller one has the pixel.

        >>> Instances.from_masks(np.array([[[True, False]], [[True, True]]]), np.array([7, 3])).map.tolist()
        [[1, 2]]
        """
        numbers = np.zeros(masks.shape[1:], np.int32)
        for i in np.argsort(-masks.sum(axis=(1, 2)), kind="stable"):
            numbers[masks[i]] = i + 1
        return cls(map=numbers, classes=classes, scores=scores, keypoints=keypoints, keypoint_scores=keypoint_scores)

    @classmethod
    def from_bytes(
        cls,
        numbers: UInt8[np.ndarray, "H W"],
        classes: Int[np.ndarray, " n"],
        keypoints: Float[np.ndarray, "n 17 3"] | None = None,
    ) -> Instances:
        """Instances of an 8-bit map, the inverse of `as_bytes`."""
        return cls(map=np.where(numbers == VOID, IGNORED, numbers.astype(np.int32)), classes=classes,
                   keypoints=keypoints)  # fmt: skip

    def as_bytes(self) -> UInt8[np.ndarray, "H W"]:
        """The map as uint8 [H W], 255 where ignored: the form in which features and training targets hold it.

        Raises:
            ValueError: more than 254 instances.
        """
        if len(self) > MOST_IDS:
            raise ValueError(f"instances: got {len(self)}, an 8-bit map holds at most {MOST_IDS}")
        return np.where(self.map == IGNORED, VOID, self.map).astype(np.uint8)

    @property
    def masks(self) -> Bool[np.ndarray, "n H W"]:
        """Masks bool [n H W], computed from the map; they share no pixel, and one without a pixel is empty."""
        return self.map[None] == np.arange(1, len(self) + 1, dtype=np.int32)[:, None, None]

    @property
    def ignored(self) -> Bool[np.ndarray, "H W"]:
        """bool [H W], the pixels that are neither right nor wrong."""
        return self.map == IGNORED

    @property
    def areas(self) -> Int[np.ndarray, " n"]:
        """Pixels of every instance, int64 [n]."""
        return np.bincount(self.map[self.map > 0], minlength=len(self) + 1)[1:]

    def bounds(self) -> Float[np.ndarray, "n 4"]:
        """Boxes float32 [n 4] of (x, y, w, h): those given, else tight ones of the masks, zeros for an empty mask."""
        if self.boxes is not None:
            return self.boxes
        return np.array([rle.box(mask) for mask in self.masks], np.float32).reshape(-1, 4)

    def class_map(self) -> UInt8[np.ndarray, "H W"]:
        """The class of every pixel, uint8 [H W]: 0 no instance, 255 ignored."""
        return np.array([0, *self.classes, VOID], np.uint8)[self.map]  # IGNORED is the last entry

    def select(self, chosen: Sequence[int] | Int[np.ndarray, " m"], *, rest: int = 0) -> Instances:
        """The instances at these positions, in this order; the pixels of the others become `rest` (0 or IGNORED)."""
        chosen = np.asarray(chosen, dtype=np.int64)
        numbers = np.full(len(self) + 2, rest, np.int32)  # of 0 … n, and of IGNORED, which indexes the last entry
        numbers[0], numbers[-1] = 0, IGNORED
        numbers[chosen + 1] = np.arange(1, len(chosen) + 1)
        arrays = ("classes", "scores", "keypoints", "keypoint_scores", "boxes")
        given = {name: getattr(self, name) for name in arrays if getattr(self, name) is not None}
        return replace(self, map=numbers[self.map], **{name: values[chosen] for name, values in given.items()})

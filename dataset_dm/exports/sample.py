"""What formats write and read: the things of a picture, its class map, and the row that they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dataset_dm.labels import rle
from dataset_dm.labels.records import VOID

Box = tuple[float, float, float, float]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object; what is not known, or not said by a file, is None.

    Args:
        category: from 0, background is no object.
        box: x, y, w, h in pixels.
        mask: bool [H W]; holes and several parts are fine. None also where a row has an empty one.
        score: 0..1.
        crowd: a heap of things that nobody told apart.
        keypoints: float64 [17 3] of (x, y, v) in COCO's order, pixel centres at .5; v 0 not in the picture (then x and
            y are 0), 1 hidden, 2 seen.
        keypoint_scores: float64 [17] in 0..1.
        number: its id in the source, unique in the split; in what `Format.seen` gives, its place in the sample.
    """

    category: int
    box: Box | None = None
    mask: np.ndarray | None = None
    score: float | None = None
    crowd: bool | None = None
    keypoints: np.ndarray | None = None
    keypoint_scores: np.ndarray | None = None
    number: int | None = None

    @property
    def bounds(self) -> Box:
        """The box, else the mask's; ValueError for a thing that has neither."""
        if self.box is not None:
            return self.box
        if self.mask is None:
            raise ValueError("a thing without box and mask")
        return rle.box(self.mask)

    @property
    def posed(self) -> bool:
        """Whether one of its keypoints is in the picture."""
        return self.keypoints is not None and bool((self.keypoints[:, 2] > 0).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one picture; None for a kind that is not there, or that a format does not hold.

    Args:
        things: in the order of the row, or of the file.
        label: class map uint8 [H W]; 0 background, i + 1 the i-th class, 255 void.
        void: bool [H W], the void pixels alone; told by formats that hold them, but no whole class map.
    """

    things: tuple[Thing, ...] | None = None
    label: np.ndarray | None = None
    void: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of a set.

    Args:
        name: its file's name without ending, unique in the whole set, see `file_name`.
        index: its number within the split, as the row says it.
        image: the bytes of the picture, as stored.
        suffix: ".png", ".jpg" …
        size: (H, W).
        has_depth: whether the row has a depth map.
    """

    name: str
    split: str
    index: int
    image: bytes
    suffix: str
    size: tuple[int, int]
    labels: Labels
    has_depth: bool = False

    @property
    def file(self) -> str:
        """Name of the image's file."""
        return self.name + self.suffix


def file_name(split: str, index: int) -> str:
    """The name of a row's files: `train_000000_000012`, which Cityscapes reads as city, sequence and frame."""
    return f"{split}_{index // 10**6:06d}_{index % 10**6:06d}"


def class_map(things: Iterable[Thing], size: tuple[int, int]) -> np.ndarray:
    """uint8 [H W] of the things' classes, i + 1 for category i; the smaller one lies on top, crowds are void."""
    label = np.zeros(size, np.uint8)
    for thing in largest_first(things):
        label[thing.mask] = VOID if thing.crowd else thing.category + 1
    return label


def largest_first(things: Iterable[Thing]) -> list[Thing]:
    """The things that have a mask, the largest first: what is painted later lies on top."""
    return sorted((one for one in things if one.mask is not None), key=lambda one: -int(one.mask.sum()))

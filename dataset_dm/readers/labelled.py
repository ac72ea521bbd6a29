"""One labelled image, a set of them, and the checks that all readers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.labels.instances import Instances

BACKGROUNDS = ("background", "_background_", "__background__", "__ignore__", "_ignore_")


class SampleError(DataError):
    """One sample is at fault, the others may be fine: ``on_error="skip"`` leaves it out and counts its `reason`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class LabelledImage:
    """An image and its labels; a kind of label that the set does not have is None.

    Args:
        name: what errors call it.
        image: uint8 [H W 3], RGB.
        label: uint8 [H W]; 0 background, i + 1 the i-th class, 255 void.
        caption: a text that describes it, or None.
        instances: the objects, with keypoints where the set has them; pixels of crowds and void are ignored.
        depth: float32 [H W], metres along the optical axis; 0 unknown.
        metric: whether `depth` is in metres of the camera that took the image. False for a crop or an enlarged image,
            which another camera would have taken: its depth is known up to a factor.
    """

    name: str
    image: UInt8[np.ndarray, "H W 3"]
    label: UInt8[np.ndarray, "H W"] | None
    caption: str | None = None
    instances: Instances | None = None
    depth: Float[np.ndarray, "H W"] | None = None
    metric: bool = True


class LabelledSet(Protocol):
    """Labelled images by position.

    Attributes:
        classes: names without background, in the order of their ids; empty for a set of depth alone.
        source: names the place and the selection; equal sources have equal content.
        kinds: names of the tasks it has labels of, in the order of `tasks.TASKS`.
        skipped: how many damaged samples were left out, by reason.
    """

    classes: tuple[str, ...]
    source: str
    kinds: tuple[str, ...]
    skipped: Counter[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelledImage: ...


class Subset:
    """Some images of a set, in the given order."""

    def __init__(self, parent: LabelledSet, positions: Sequence[int]) -> None:
        self.parent, self.positions = parent, list(positions)
        self.classes, self.source = parent.classes, parent.source
        self.kinds, self.skipped = parent.kinds, parent.skipped

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> LabelledImage:
        return self.parent[self.positions[index]]


def check_size(image: UInt8[np.ndarray, "H W 3"], size: tuple[int, ...], what: str, name: str) -> None:
    """SampleError unless the image has the `size` (H, W) of its label, which errors call `what`."""
    if image.shape[:2] != tuple(size[:2]):
        got, expected = f"{size[1]}×{size[0]}", f"{image.shape[1]}×{image.shape[0]}"
        raise SampleError(
            "wrong size", f"{name}: {what} is {got}, its image {expected}; a {what} must have the size of its image"
        )


def without_background(names: Iterable[str]) -> tuple[str, ...]:
    """Class names without a leading background entry."""
    kept = [name.strip() for name in names if name.strip()]
    return tuple(kept[1:] if kept and kept[0].lower() in BACKGROUNDS else kept)


def choose_classes(
    known: Collection[str], wanted: Sequence[str] | None, place: object, expected: str
) -> tuple[str, ...]:
    """The wanted names without background, all `known` ones by default.

    DataError, naming the `place` and what was `expected`, for an unknown or a repeated name.
    """
    if not wanted:
        return tuple(known)
    chosen = without_background(wanted)
    for name in chosen:
        if name not in known:
            raise DataError(explain(f"{place}: class", got=name, expected=expected) + did_you_mean(name, known))
    if len(set(chosen)) != len(chosen):
        raise DataError(explain(f"{place}: classes", got=list(chosen), expected="each name once"))
    return chosen


def no_split(place: object, split: str, known: Iterable[str], where: str = "") -> DataError:
    """The error for a split that is not among the `known` ones."""
    names = list(known)
    there = f"there are: {', '.join(names) or 'none'}{did_you_mean(split, names)}"
    return DataError(f"{place}: no split {split!r}{where}; {there}")

"""One labelled image, and what a set of them can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dataset_dm.errors import DataError
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.vocabulary import VOID

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
        metric: whether `depth` is that of the camera that took the picture; of a part or a larger surrounding, which
            another camera would have taken, it is known up to a factor.
    """

    name: str
    image: np.ndarray
    label: np.ndarray | None
    caption: str | None = None
    instances: Instances | None = None
    depth: np.ndarray | None = None
    metric: bool = True


class LabelledSet(Protocol):
    """Images that can be asked for by position.

    Attributes:
        classes: names without background, in the order of their ids; empty for a set of depth alone.
        source: where they are from; another content has another source.
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


def check(image: np.ndarray, label: np.ndarray, classes: Sequence[str], name: str) -> None:
    """SampleError unless image and class map fit each other and the class list."""
    fits(image, label.shape, "mask", name)
    wrong = np.unique(label[(label > len(classes)) & (label != VOID)])
    if wrong.size:
        raise SampleError(
            "unknown class",
            f"{name}: mask has class {int(wrong[0])}, the task has 0..{len(classes)} and {VOID} for void; "
            "fix the class list or the mask",
        )


def fits(image: np.ndarray, size: tuple[int, ...], what: str, name: str) -> None:
    """SampleError unless `size` (H, W), that of what errors call `what`, is the size of the image."""
    if image.shape[:2] != tuple(size[:2]):
        got, expected = f"{size[1]}×{size[0]}", f"{image.shape[1]}×{image.shape[0]}"
        raise SampleError(
            "wrong size", f"{name}: {what} is {got}, its image {expected}; a {what} must have the size of its image"
        )


def without_background(names: Sequence[str]) -> tuple[str, ...]:
    """Class names less a leading background entry."""
    kept = [name.strip() for name in names if name.strip()]
    return tuple(kept[1:] if kept and kept[0].lower() in BACKGROUNDS else kept)

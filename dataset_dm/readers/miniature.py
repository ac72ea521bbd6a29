"""Miniature's renders with exact labels of every kind, used as a labelled set."""

from __future__ import annotations

import functools
from collections import Counter

import numpy as np

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.labels.file_instance import stack_keypoints
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.tasks import TASKS
from dataset_dm.labels.vocabulary import PERSON, VOC_CLASSES
from dataset_dm.miniature.world import SPLITS, Rendering, Scene, labelled
from dataset_dm.readers.labelled import LabelledImage

# Among balanced renders, people are this many times as frequent as any other class: they alone teach poses.
PEOPLE = 4
BEHIND = 1  # renders by which a class may be ahead of the rarest one and still be taken


class MiniatureSet:
    """Some renders of a split.

    Args:
        split: pretrain, train, validation or test; disjoint.
        count: how many.
        style: day, night, fog or palette.
        size: (H, W).
        balanced: a class-balanced choice (see :func:`balanced`) instead of the first ones.

    Raises:
        DataError: an unknown split or a count below 1.
    """

    def __init__(
        self,
        split: str,
        count: int,
        style: str = "day",
        size: tuple[int, int] = (128, 128),
        *,
        balanced: bool = False,
    ) -> None:
        if split not in SPLITS:
            expected = f"one of {', '.join(SPLITS)}"
            raise DataError(explain("split of miniature", got=split, expected=expected) + did_you_mean(split, SPLITS))
        if count < 1:
            raise DataError(explain("number of labelled images", got=count, expected="at least 1"))
        self.split, self.count, self.style, self.size = split, count, style, size
        self.balanced = balanced
        self.classes: tuple[str, ...] = tuple(VOC_CLASSES)
        self.kinds: tuple[str, ...] = tuple(TASKS)
        self.skipped: Counter[str] = Counter()
        self.source = f"miniature/{split}" + ("" if style == "day" else f"/{style}")
        self.source += "/balanced" if balanced else ""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> LabelledImage:
        if not 0 <= index < self.count:
            raise IndexError(index)
        number = balanced(self.split, self.count)[index] if self.balanced else index
        scene, rendering = labelled(self.split, number, self.style, self.size)
        return LabelledImage(
            f"{self.source}[{index}]",
            rendering.image,
            rendering.class_map,
            scene.captions[0],
            instances_of(scene, rendering),
            rendering.depth,
        )


def labelled_renders(split: str, count: int) -> MiniatureSet:
    """Renders to train a decoder on (a balanced choice of train) or to measure it on (the first of another split)."""
    return MiniatureSet(split, count, balanced=split == "train")


@functools.lru_cache(maxsize=8)
def balanced(split: str, count: int) -> tuple[int, ...]:
    """Numbers of renders in which classes are about equally frequent, and people PEOPLE times as frequent.

    In order, a render is taken when it shows a class that is at most BEHIND renders ahead of the rarest one. So a
    smaller choice is a prefix of a larger one.
    """
    share = np.ones(len(VOC_CLASSES))
    share[VOC_CLASSES.index(PERSON)] = PEOPLE
    taken, chosen, number = np.zeros(len(VOC_CLASSES)), [], 0
    while len(chosen) < count:
        scene, rendering = labelled(split, number)
        seen = [scene.bodies[i - 1].class_id - 1 for i in np.unique(rendering.instance_map).tolist() if i]
        shown = np.isin(np.arange(len(VOC_CLASSES)), seen)
        if shown.any() and (taken / share)[shown].min() <= (taken / share).min() + BEHIND:
            chosen.append(number)
            taken += shown
        number += 1
    return tuple(chosen)


def instances_of(scene: Scene, rendering: Rendering) -> Instances:
    """The visible bodies, renumbered; a body that others hide completely is no instance of the image."""
    seen = [int(number) for number in np.unique(rendering.instance_map) if number]
    ids = np.zeros(len(scene.bodies) + 1, np.int32)
    ids[seen] = np.arange(1, len(seen) + 1)
    return Instances(
        map=ids[rendering.instance_map],
        classes=np.array([scene.bodies[number - 1].class_id for number in seen], np.int64),
        keypoints=stack_keypoints([rendering.keypoints[number - 1] for number in seen]),
    )

"""Miniature's own renders with their exact truth of every kind: the stand-in for a labelled set of photographs."""

from __future__ import annotations

from collections import Counter

import numpy as np

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.miniature.world import SPLITS, VOC_CLASSES, Rendering, Scene, labelled
from dataset_dm.tasks import TASKS
from dataset_dm.training.data.instances import stack_keypoints
from dataset_dm.training.data.labelled import Instances, LabelledImage


class MiniatureSet:
    """The first ``count`` renders of a split.

    Args:
        split: pretrain, train, validation or test; disjoint.
        count: how many.
        style: day, night, fog or palette.
        size: (H, W).

    Raises:
        DataError: an unknown split or a count below 1.
    """

    def __init__(self, split: str, count: int, style: str = "day", size: tuple[int, int] = (128, 128)) -> None:
        if split not in SPLITS:
            expected = f"one of {', '.join(SPLITS)}"
            raise DataError(explain("split of miniature", got=split, expected=expected) + did_you_mean(split, SPLITS))
        if count < 1:
            raise DataError(explain("number of labelled images", got=count, expected="at least 1"))
        self.split, self.count, self.style, self.size = split, count, style, size
        self.classes: tuple[str, ...] = tuple(VOC_CLASSES)
        self.kinds: tuple[str, ...] = tuple(TASKS)
        self.skipped: Counter[str] = Counter()
        self.source = f"miniature/{split}" + ("" if style == "day" else f"/{style}")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> LabelledImage:
        if not 0 <= index < self.count:
            raise IndexError(index)
        scene, rendering = labelled(self.split, index, self.style, self.size)
        return LabelledImage(
            f"{self.source}[{index}]",
            rendering.image,
            rendering.class_map,
            scene.captions[0],
            instances_of(scene, rendering),
            rendering.depth,
        )


def instances_of(scene: Scene, rendering: Rendering) -> Instances:
    """The bodies that are to be seen, renumbered: one that others hide altogether is no thing of the picture."""
    seen = [int(number) for number in np.unique(rendering.instance_map) if number]
    ids = np.zeros(len(scene.bodies) + 1, np.uint8)
    ids[seen] = np.arange(1, len(seen) + 1)
    return Instances(
        map=ids[rendering.instance_map],
        classes=np.array([scene.bodies[number - 1].class_id for number in seen], np.int64),
        keypoints=stack_keypoints([rendering.keypoints[number - 1] for number in seen]),
    )

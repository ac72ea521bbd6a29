"""Miniature's own renders, with their exact class maps: the stand-in for a labelled set of photographs."""

from __future__ import annotations

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.miniature.world import SPLITS, VOC_CLASSES, labelled
from dataset_dm.training.data.labelled import LabelledImage


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
        self.source = f"miniature/{split}" + ("" if style == "day" else f"/{style}")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> LabelledImage:
        if not 0 <= index < self.count:
            raise IndexError(index)
        scene, rendering = labelled(self.split, index, self.style, self.size)
        return LabelledImage(f"{self.source}[{index}]", rendering.image, rendering.class_map, scene.captions[0])

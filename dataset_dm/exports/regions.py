"""Labels as the annotation tools have them: one region an object, or one a class, and one for all void pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.sample import Labels
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import VOID

VOID_REGION = "void"


def check_classes(classes: Sequence[str], name: str) -> None:
    """DataError when a class is called as the void region is."""
    if VOID_REGION in classes:
        raise DataError(explain(f"{name}: class", got=VOID_REGION, expected="another name: void regions are called so"))


def class_regions(label: np.ndarray) -> tuple[FileInstance, ...]:
    """A class map as one instance a class; void is none."""
    ids = [int(one) for one in np.unique(label) if one not in (0, VOID)]
    return tuple(FileInstance(category=one - 1, mask=label == one) for one in ids)


def void_of(labels: Labels) -> np.ndarray | None:
    """The void pixels, bool [H W]; None without a class map, or when none is void."""
    void = None if labels.label is None else labels.label == VOID
    return void if void is not None and void.any() else None


def united(masks: Sequence[np.ndarray], size: Size) -> np.ndarray:
    """bool [H W], true where any mask is; false everywhere for no mask."""
    return np.any(masks, axis=0) if masks else np.zeros(size, bool)

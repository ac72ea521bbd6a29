"""Class maps of several labellers → one, void where they differ, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID


def consensus(found: Sequence[Annotation], classes: int, *, keep_probability: bool = False) -> Annotation:
    """One annotation of several of the same picture, each with class map and probability.

    Where all say the same and none is unsure, that is the label; everywhere else it is 255. In `full` the surest of
    them decides, the earlier one on a tie. Probability and confidence count a labeller that chose another class as
    giving the chosen one nothing, so that they fall where labellers differ; presence is the mean. What is not about
    class maps is that of the first.

    Args:
        classes: how many there are, without background.
        keep_probability: keep the probability of every pixel's class.
    """
    full = np.stack([one.full for one in found])
    chances = np.stack([one.probability for one in found])
    surest = chances.argmax(axis=0)[None]
    chosen = np.take_along_axis(full, surest, axis=0)[0]
    chance = np.where(full == chosen, chances, 0).mean(axis=0, dtype=np.float32)
    unsure = (full != full[0]).any(axis=0) | np.any([one.label == VOID for one in found], axis=0)
    presence = [one.presence for one in found if one.presence is not None]
    return replace(
        found[0],
        confidence=float(chance.mean()),
        presence=np.mean(presence, axis=0, dtype=np.float32) if presence else None,
        label=np.where(unsure, np.uint8(VOID), chosen),
        full=chosen,
        uncertain=float(unsure.mean()),
        probability=chance if keep_probability else None,
        agreement=agreement(full, classes),
    )


def agreement(maps: np.ndarray, classes: int) -> np.ndarray:
    """Intersection over union of each class's masks, float32 [k] in 0..1; NaN where no map shows the class.

    Args:
        maps: class maps without void, uint8 [n H W].
        classes: k, without background.

    >>> agreement(np.array([[[1, 1, 2]], [[1, 0, 2]]]), 3)
    array([0.5, 1. , nan], dtype=float32)
    """
    same = (maps == maps[0]).all(axis=0)
    both = np.bincount(maps[0][same].ravel(), minlength=classes + 1)
    # pixels of each class in any map: a pixel counts once a class, however many maps show it there
    ordered = np.sort(maps, axis=0)
    first = np.concatenate([np.ones((1, *same.shape), bool), ordered[1:] != ordered[:-1]])
    either = np.bincount(ordered[first], minlength=classes + 1)
    return np.divide(
        both[1:], either[1:], out=np.full(classes, np.nan, np.float32), where=either[1:] > 0, casting="same_kind"
    )

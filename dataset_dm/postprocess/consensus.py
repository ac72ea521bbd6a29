"""Class maps of several annotators → one map, void where they differ, and their agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, UInt8

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID


def consensus(found: Sequence[Annotation], classes: int, *, keep_probability: bool = False) -> Annotation:
    """One annotation out of several of the same image, each with class map and probability.

    The label is 255 where the annotators differ or one of them has 255. `full` has the class of the highest
    probability, on a tie the earlier annotator's. Probability and confidence are means in which an annotator of another
    class counts as 0; presence is the mean. Labels of other kinds are those of the first annotation.

    Args:
        classes: their number, without background.
        keep_probability: keep the probability of every pixel's class.
    """
    full = np.stack([one.full for one in found])
    chances = np.stack([one.probability for one in found])
    most_probable = chances.argmax(axis=0)[None]
    chosen = np.take_along_axis(full, most_probable, axis=0)[0]
    chance = np.where(full == chosen, chances, 0).mean(axis=0, dtype=np.float32)
    uncertain = (full != full[0]).any(axis=0) | np.any([one.label == VOID for one in found], axis=0)
    presence = [one.presence for one in found if one.presence is not None]
    return replace(
        found[0],
        confidence=float(chance.mean()),
        presence=np.mean(presence, axis=0, dtype=np.float32) if presence else None,
        label=np.where(uncertain, np.uint8(VOID), chosen),
        full=chosen,
        uncertain=float(uncertain.mean()),
        probability=chance if keep_probability else None,
        agreement=agreement(full, classes),
    )


def agreement(maps: UInt8[np.ndarray, "n H W"], classes: int) -> Float32[np.ndarray, " k"]:
    """Intersection over union of each class's masks in 0..1; NaN for a class in no map.

    Args:
        maps: class maps without void.
        classes: k, without background.

    >>> agreement(np.array([[[1, 1, 2]], [[1, 0, 2]]], np.uint8), 3)
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

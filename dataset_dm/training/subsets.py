"""Labelled sets with fewer labels than their images show: without some classes, or with most classes rare.

Pixels whose label is held back become void, never background: background would teach the decoder to overlook objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers import LabelledImage, LabelledSet
from dataset_dm.training.augment import stream


class _Derived:
    """A set derived from another one: the same kinds of labels, fewer of them."""

    def __init__(self, parent: LabelledSet, classes: Sequence[str], source: str) -> None:
        self.parent, self.classes, self.source = parent, tuple(classes), source
        self.kinds: tuple[str, ...] = parent.kinds
        self.skipped: Counter[str] = parent.skipped


class SeenOnly(_Derived):
    """Images whose labels know the seen classes only; see `seen_only`."""

    def __init__(self, parent: LabelledSet, seen: Sequence[str]) -> None:
        super().__init__(parent, seen, f"{parent.source}, seen only {', '.join(seen)}")
        self._unseen = tuple(name for name in parent.classes if name not in seen)
        new = {parent.classes.index(name) + 1: number for number, name in enumerate(seen, start=1)}
        self._table = _table(new, len(parent.classes))

    def __len__(self) -> int:
        return len(self.parent)

    def __getitem__(self, index: int) -> LabelledImage:
        sample = relabelled(self.parent[index], self._table)
        if sample.caption and find_classes(sample.caption, self._unseen):
            return replace(sample, caption=None)  # its words would name a class that is held back
        return sample


class LongTail(_Derived):
    """Images of which each class is labelled in so many only; see `long_tail`.

    Attributes:
        order: the classes, head first.
        counts: class → number of images in which it is labelled, head first.
    """

    def __init__(self, parent: LabelledSet, imbalance: float, seed: int, order: Sequence[str]) -> None:
        named = f", head to tail {', '.join(order)}"
        super().__init__(parent, parent.classes, f"{parent.source}, long tail {imbalance:g}:1 seed {seed}{named}")
        self.order = tuple(order)
        shown = [shown_classes(parent[index]) for index in range(len(parent))]
        offered = Counter(class_id for ids in shown for class_id in ids)
        most = max(offered.values(), default=0)
        ids = {name: parent.classes.index(name) + 1 for name in self.order}
        left = {ids[name]: quota for name, quota in zip(self.order, quotas(most, imbalance, len(ids)), strict=True)}
        labelled: dict[int, set[int]] = {}
        # one order for all classes: the first images keep all their labels, and few pixels become void
        for index in (int(each) for each in stream("long tail", seed).permutation(len(shown))):
            kept = {class_id for class_id in shown[index] if left[class_id]}
            for class_id in kept:
                left[class_id] -= 1
            if kept or not shown[index]:  # an image of nothing is worth its background
                labelled[index] = kept
        self._positions = sorted(labelled)
        self._kept = [labelled[index] for index in self._positions]
        counts = Counter(class_id for kept in self._kept for class_id in kept)
        self.counts = {name: counts[ids[name]] for name in self.order}

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> LabelledImage:
        sample = self.parent[self._positions[index]]
        return relabelled(sample, _table({class_id: class_id for class_id in self._kept[index]}, len(self.classes)))


def seen_only(labelled: LabelledSet, seen: Sequence[str]) -> LabelledSet:
    """The same images with labels of some classes only, in the given order.

    Pixels of any other class are void, their instances are ignored, and a caption that names one is left out.

    Raises:
        ConfigError: no class, a class twice, or one that the set does not have.

    Example:
        >>> seen_only(open_labelled("miniature"), ["dog", "cat"]).classes   # doctest: +SKIP
        ('dog', 'cat')
    """
    return SeenOnly(labelled, checked_classes("seen", seen, labelled.classes))


def long_tail(labelled: LabelledSet, imbalance: float, seed: int = 0, order: Sequence[str] | None = None) -> LongTail:
    """As many labelled images a class as the pool offers for the head, exponentially fewer down to the tail.

    Rank r of k classes gets n · imbalance^(-r / (k - 1)) images, n being the most that any class has (Cui et al.,
    "Class-Balanced Loss", 2019), or all there are when the pool has fewer. Where an image shows a class beyond its
    share, that class is void in it; images that are left without a class are left out.

    Args:
        labelled: the pool; every image is read once.
        imbalance: images of the head per image of the tail, at least 1.
        seed: chooses the images, and the ranks unless `order` does.
        order: all classes, head first.

    Raises:
        ConfigError: an imbalance below 1, an order that is not one of the set's classes.
    """
    if isinstance(imbalance, bool) or not isinstance(imbalance, (int, float)) or not 1 <= imbalance < float("inf"):
        raise ConfigError(explain("long_tail: imbalance", got=imbalance, expected="a number of at least 1"))
    classes = labelled.classes
    if order is None:
        order = tail_order(classes, seed)
    elif missing := [name for name in classes if name not in checked_classes("order", order, classes)]:
        raise ConfigError(explain("long_tail: order", got=list(order), expected=f"{missing[0]!r} in it too"))
    return LongTail(labelled, imbalance, seed, order)


def tail_order(classes: Sequence[str], seed: int = 0) -> list[str]:
    """Ranks that depend on the names and the seed alone, head first."""
    names = sorted(classes)
    return [names[int(each)] for each in stream("long tail order", seed).permutation(len(names))]


def quotas(most: int, imbalance: float, classes: int) -> list[int]:
    """Labelled images of each rank, head first; at least one each.

    >>> quotas(100, 100, 3)
    [100, 10, 1]
    """
    last = max(1, classes - 1)
    return [max(1, round(most * imbalance ** (-rank / last))) for rank in range(classes)]


def shown_classes(sample: LabelledImage) -> tuple[int, ...]:
    """Ids of the classes that an image has labels of, ascending; 0 and 255 are none."""
    ids: set[int] = set()
    if sample.label is not None:
        ids.update(np.unique(sample.label).tolist())
    if sample.instances is not None:
        ids.update(sample.instances.classes.tolist())
    return tuple(sorted(ids - {0, VOID}))


def relabelled(sample: LabelledImage, table: UInt8[np.ndarray, " 256"]) -> LabelledImage:
    """The labels under new class ids; instances that become void are ignored, depth stays.

    Args:
        table: old id → new id or 255.
    """
    label = None if sample.label is None else table[sample.label]
    instances = None if sample.instances is None else _relabelled(sample.instances, table)
    return replace(sample, label=label, instances=instances)


def checked_classes(what: str, given: object, known: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; ConfigError unless each is one of the known ones, once, and there is at least one."""
    names = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else ()
    if not names:
        raise ConfigError(explain(what, got=given, expected="a list of class names such as ['dog', 'cat']"))
    for position, name in enumerate(names):
        if name not in known:
            raise ConfigError(
                explain(what, got=name, expected=f"one of {', '.join(known)}") + did_you_mean(str(name), known)
            )
        if name in names[:position]:
            raise ConfigError(explain(what, got=name, expected="every name once"))
    return names


def _relabelled(instances: Instances, table: np.ndarray) -> Instances:
    """Instances with the ids of the table; those without one are ignored."""
    renamed = replace(instances, classes=table[instances.classes].astype(np.int64))
    return renamed.select(np.flatnonzero(renamed.classes != VOID), rest=IGNORED)


def _table(new: dict[int, int], classes: int) -> np.ndarray:
    """Old id → new id, 255 for every class that has none; an id beyond the list stays, so that it is complained of."""
    table = np.arange(256, dtype=np.uint8)
    table[1 : classes + 1] = VOID
    for old, number in new.items():
        table[old] = number
    return table

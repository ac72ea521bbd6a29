"""The labels of a row after its review: what was edited in the files replaces what was there.

Labels that a format does not support, and labels that were not edited, stay equal to the last bit. An object that was
changed or added has score 1, as have its changed keypoints, unless the files state another score. A changed mask sets
its box; a box that was changed alone crops the mask. Where a class map exists beside objects and the files do not
contain it, it follows the objects: pixels that they lost become background, pixels that they gained get their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from dataset_dm.exports.match import changes, matches, moved_points
from dataset_dm.exports.sample import Labels
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import FileInstance, Size, class_map, largest_first
from dataset_dm.labels.vocabulary import VOID

_REVIEWED_SCORE = 1.0
_Label = UInt8[np.ndarray, "H W"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance of the reviewed row: its position before the review, None for a new one; whether it was changed."""

    instance: FileInstance
    place: int | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A row's labels after its review; None where unchanged.

    Args:
        instances: in their earlier order, new ones last.
        label: class map.
        removed: number of removed objects.
    """

    instances: tuple[Kept, ...] | None
    label: _Label | None
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether any label was changed."""
        return self.instances is not None or self.label is not None


def merge(old: Labels, written: Labels, found: Labels, size: Size) -> Merged:
    """The labels of a row after its review.

    Args:
        old: the row's own labels.
        written: the labels in the untouched files; `number` is the position of an instance in `old`.
        found: the labels in the files now.
        size: (H, W).
    """
    instances, removed = None, 0
    if old.instances is not None and found.instances is not None:
        instances, removed = _instances(old.instances, written.instances or (), found.instances)
    label = None
    if old.label is not None:
        label = old.label if instances is None else _follow(old.label, old.instances or (), instances)
        now = (old.instances or ()) if instances is None else [kept.instance for kept in instances]
        label = _redrawn(label, old, written, found, now, size)
        label = None if np.array_equal(label, old.label) else label
    return Merged(instances, label, removed)


def _instances(
    old: Sequence[FileInstance], written: Sequence[FileInstance], found: Sequence[FileInstance]
) -> tuple[tuple[Kept, ...] | None, int]:
    """The instances after the review, None when all are unchanged, and the number of removed ones."""
    own = matches(written, found)
    numbers = {instance.number for instance in written}
    after = {place: Kept(instance, place, False) for place, instance in enumerate(old) if place not in numbers}
    new = []
    for instance, place in zip(found, own, strict=True):
        if place is None:
            new.append(Kept(_new(instance), None, True))
        else:
            source = written[place].number
            edits = changes(written[place], instance)
            now = _changed(old[source], written[place], edits) if edits else old[source]
            after[source] = Kept(now, source, bool(edits))
    removed = len(old) - len(after)
    if not new and not removed and not any(kept.changed for kept in after.values()):
        return None, 0
    return (*(after[place] for place in sorted(after)), *new), removed


def _changed(old: FileInstance, written: FileInstance, edits: dict[str, Any]) -> FileInstance:
    """An instance with the edited fields, and with the fields that follow from them."""
    if "mask" in edits:
        edits = {**edits, "box": rle.box(edits["mask"])}
    elif "box" in edits and old.mask is not None:
        edits = {**edits, "mask": _cropped(old.mask, edits["box"])}
    if "keypoints" in edits:
        edits = {**edits, **_moved(old, written, edits)}
    return replace(old, **{"score": _REVIEWED_SCORE, **edits})


def _moved(old: FileInstance, written: FileInstance, edits: dict[str, Any]) -> dict[str, Any]:
    """Keypoints and their scores; points that were not moved keep their exact values."""
    points = edits["keypoints"]
    if old.keypoints is None or written.keypoints is None:
        return {}
    moved = moved_points(written.keypoints, points)
    fields = {"keypoints": np.where(moved[:, None], points, old.keypoints)}
    if "keypoint_scores" not in edits and old.keypoint_scores is not None:
        fields["keypoint_scores"] = np.where(moved, _scores(points), old.keypoint_scores)
    return fields


def _new(instance: FileInstance) -> FileInstance:
    """A new instance with all its fields."""
    box = rle.box(instance.mask) if instance.mask is not None else instance.bounds
    score = _REVIEWED_SCORE if instance.score is None else instance.score
    scores = instance.keypoint_scores
    if scores is None and instance.keypoints is not None:
        scores = _scores(instance.keypoints)
    return replace(instance, box=box, score=score, crowd=bool(instance.crowd), keypoint_scores=scores, number=None)


def _scores(points: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, " 17"]:
    """Scores of keypoints that a person placed."""
    return np.where(points[:, 2] > 0, _REVIEWED_SCORE, 0.0)


def _cropped(mask: Bool[np.ndarray, "H W"], box: Sequence[float]) -> Bool[np.ndarray, "H W"] | None:
    """The pixels of a mask whose centre lies in a box; None when there are none."""
    x, y, w, h = box
    rows, columns = (np.arange(count) + 0.5 for count in mask.shape)
    inside = ((rows >= y) & (rows <= y + h))[:, None] & ((columns >= x) & (columns <= x + w))[None]
    cropped = mask & inside
    return cropped if cropped.any() else None


def _follow(label: _Label, old: Sequence[FileInstance], instances: Sequence[Kept]) -> _Label:
    """A class map after its objects changed."""
    label = label.copy()
    nothing = np.zeros(label.shape, bool)
    now = {kept.place: kept.instance for kept in instances if kept.place is not None}
    for place, instance in enumerate(old):
        mask = nothing if instance.mask is None else instance.mask
        after = now.get(place)
        stays = nothing if after is None or after.mask is None else after.mask & mask
        known = label == instance.category + 1
        label[mask & ~stays & known] = 0
        if after is not None:
            label[stays & known] = after.category + 1
    gained = []
    for kept in instances:
        before = None if kept.place is None else old[kept.place].mask
        if kept.changed and kept.instance.mask is not None:
            mask = kept.instance.mask if before is None else kept.instance.mask & ~before
            gained.append(replace(kept.instance, mask=mask))
    for instance in largest_first(gained):
        label[instance.mask] = VOID if instance.crowd else instance.category + 1
    return label


def _redrawn(
    label: _Label, old: Labels, written: Labels, found: Labels, instances: Sequence[FileInstance], size: Size
) -> _Label:
    """A class map with the edits of the class map in the files, of regions that stand for it, or of void regions."""
    before, now = written.label, found.label
    if old.instances is None and now is None and found.instances is not None:
        before, now = (_with_void(class_map(labels.instances or (), size), labels.void) for labels in (written, found))
    if before is not None and now is not None:
        return np.where(now != before, now, label)
    if found.void is None or old.instances is None:
        return label
    was = np.zeros(size, bool) if written.void is None else written.void
    cleared = class_map(instances, size)
    label = np.where(was & ~found.void & (label == VOID), cleared, label)
    return _with_void(label, found.void & ~was)


def _with_void(label: _Label, void: Bool[np.ndarray, "H W"] | None) -> _Label:
    return label if void is None else np.where(void, np.uint8(VOID), label)

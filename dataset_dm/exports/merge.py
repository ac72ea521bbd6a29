"""The labels of a row after its review: what was edited in the files replaces what was there.

What a format does not support, and what was not edited, stays equal to the last bit. An object that was changed or
added has score 1, as have its changed keypoints, unless the files give it another. A changed mask decides its box; a
box that was changed alone cuts the mask to it. Where a class map is kept beside objects and the files do not hold it,
it follows the objects: pixels that they lost become background, pixels that they gained get their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dataset_dm.exports.match import changes, matches, moved_points
from dataset_dm.exports.sample import Labels
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import FileInstance, Size, class_map, largest_first
from dataset_dm.labels.vocabulary import VOID

_SURE = 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance of the reviewed row: its place in the row before, None for a new one; whether it was changed."""

    instance: FileInstance
    place: int | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A row's labels after its review; None where nothing changed.

    Args:
        instances: in the order that they had, new ones last.
        label: class map uint8 [H W].
        removed: how many objects went.
    """

    instances: tuple[Kept, ...] | None
    label: np.ndarray | None
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether any label did."""
        return self.instances is not None or self.label is not None


def merge(old: Labels, seen: Labels, found: Labels, size: Size) -> Merged:
    """See above.

    Args:
        old: the row's own labels.
        seen: what the untouched files say, `number` is the place of an instance in `old`.
        found: what the files say now.
        size: (H, W).
    """
    instances, removed = None, 0
    if old.instances is not None and found.instances is not None:
        instances, removed = _instances(old.instances, seen.instances or (), found.instances)
    label = None
    if old.label is not None:
        label = old.label if instances is None else _follow(old.label, old.instances or (), instances)
        now = (old.instances or ()) if instances is None else [one.instance for one in instances]
        label = _drawn(label, old, seen, found, now, size)
        label = None if np.array_equal(label, old.label) else label
    return Merged(instances, label, removed)


def _instances(
    old: Sequence[FileInstance], seen: Sequence[FileInstance], found: Sequence[FileInstance]
) -> tuple[tuple[Kept, ...] | None, int]:
    """The instances after the review and how many were removed; None when all are as they were."""
    own = matches(seen, found)
    written = {instance.number for instance in seen}
    after = {place: Kept(instance, place, False) for place, instance in enumerate(old) if place not in written}
    new = []
    for instance, place in zip(found, own, strict=True):
        if place is None:
            new.append(Kept(_new(instance, old), None, True))
        else:
            source = seen[place].number
            said = changes(seen[place], instance)
            after[source] = Kept(_changed(old[source], seen[place], said) if said else old[source], source, bool(said))
    removed = len(old) - len(after)
    if not new and not removed and not any(one.changed for one in after.values()):
        return None, 0
    return (*(after[place] for place in sorted(after)), *new), removed


def _changed(old: FileInstance, seen: FileInstance, said: dict[str, Any]) -> FileInstance:
    """An instance with what the files say otherwise."""
    if "mask" in said:
        said = {**said, "box": rle.box(said["mask"])}
    elif "box" in said and old.mask is not None:
        said = {**said, "mask": _cut(old.mask, said["box"])}
    if "keypoints" in said:
        said = {**said, **_moved(old, seen, said)}
    return replace(old, **{"score": _SURE, **said})


def _moved(old: FileInstance, seen: FileInstance, said: dict[str, Any]) -> dict[str, Any]:
    """Keypoints and their scores: those that were not moved are as exact as they were."""
    points = said["keypoints"]
    if old.keypoints is None or seen.keypoints is None:
        return {}
    moved = moved_points(seen.keypoints, points)
    fields = {"keypoints": np.where(moved[:, None], points, old.keypoints)}
    if "keypoint_scores" not in said and old.keypoint_scores is not None:
        sure = np.where(points[:, 2] > 0, _SURE, 0.0)
        fields["keypoint_scores"] = np.where(moved, sure, old.keypoint_scores)
    return fields


def _new(instance: FileInstance, old: Sequence[FileInstance]) -> FileInstance:
    """A new instance, complete."""
    box = rle.box(instance.mask) if instance.mask is not None else instance.bounds
    score = _SURE if instance.score is None else instance.score
    sure = instance.keypoint_scores
    if sure is None and instance.keypoints is not None:
        sure = np.where(instance.keypoints[:, 2] > 0, _SURE, 0.0)
    return replace(instance, box=box, score=score, crowd=bool(instance.crowd), keypoint_scores=sure, number=None)


def _cut(mask: np.ndarray, box: Sequence[float]) -> np.ndarray | None:
    """The pixels of a mask whose centre lies in a box; None when there are none."""
    x, y, w, h = box
    rows, columns = (np.arange(count) + 0.5 for count in mask.shape)
    inside = ((rows >= y) & (rows <= y + h))[:, None] & ((columns >= x) & (columns <= x + w))[None]
    cut = mask & inside
    return cut if cut.any() else None


def _follow(label: np.ndarray, old: Sequence[FileInstance], instances: Sequence[Kept]) -> np.ndarray:
    """A class map after its objects changed."""
    label = label.copy()
    nothing = np.zeros(label.shape, bool)
    now = {one.place: one.instance for one in instances if one.place is not None}
    for place, instance in enumerate(old):
        mask = nothing if instance.mask is None else instance.mask
        after = now.get(place)
        stays = nothing if after is None or after.mask is None else after.mask & mask
        known = label == instance.category + 1
        label[mask & ~stays & known] = 0
        if after is not None:
            label[stays & known] = after.category + 1
    gained = []
    for one in instances:
        before = None if one.place is None else old[one.place].mask
        if one.changed and one.instance.mask is not None:
            mask = one.instance.mask if before is None else one.instance.mask & ~before
            gained.append(replace(one.instance, mask=mask))
    for instance in largest_first(gained):
        label[instance.mask] = VOID if instance.crowd else instance.category + 1
    return label


def _drawn(
    label: np.ndarray, old: Labels, seen: Labels, found: Labels, instances: Sequence[FileInstance], size: Size
) -> np.ndarray:
    """A class map with what the files draw otherwise: of a map of theirs, of regions, or of void regions alone."""
    before, now = seen.label, found.label
    if old.instances is None and now is None and found.instances is not None:
        before, now = (_with_void(class_map(one.instances or (), size), one.void) for one in (seen, found))
    if before is not None and now is not None:
        return np.where(now != before, now, label)
    if found.void is None or old.instances is None:
        return label
    was = np.zeros(size, bool) if seen.void is None else seen.void
    cleared = class_map(instances, size)
    label = np.where(was & ~found.void & (label == VOID), cleared, label)
    return np.where(found.void & ~was, np.uint8(VOID), label)


def _with_void(label: np.ndarray, void: np.ndarray | None) -> np.ndarray:
    return label if void is None else np.where(void, np.uint8(VOID), label)

"""The labels of a row after its review: what the files say otherwise than they did replaces what was there.

What a format cannot hold, and what nobody touched, stays as it is to the last bit. An object that was changed or added
has score 1, as have its changed keypoints, unless the files give it another. A changed mask decides its box; a box that
was changed alone cuts the mask to it. Where a class map is kept beside objects and the files do not hold it, it follows
the objects: pixels that they lost become background, pixels that they gained get their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dataset_dm.exports.match import changes, matches, moved_points
from dataset_dm.exports.sample import Labels, Size, Thing, class_map, largest_first
from dataset_dm.labels import rle
from dataset_dm.labels.records import VOID

_SURE = 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing of the reviewed row: its place in the row before, None for a new one; whether it was changed."""

    thing: Thing
    place: int | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A row's labels after its review; None where nothing changed.

    Args:
        things: in the order that they had, new ones last.
        label: class map uint8 [H W].
        removed: how many objects went.
    """

    things: tuple[Kept, ...] | None
    label: np.ndarray | None
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether any label did."""
        return self.things is not None or self.label is not None


def merge(old: Labels, seen: Labels, found: Labels, size: Size) -> Merged:
    """See above.

    Args:
        old: the row's own labels.
        seen: what the untouched files say, `number` is the place of a thing in `old`.
        found: what the files say now.
        size: (H, W).
    """
    things, removed = None, 0
    if old.things is not None and found.things is not None:
        things, removed = _things(old.things, seen.things or (), found.things)
    label = None
    if old.label is not None:
        label = old.label if things is None else _follow(old.label, old.things or (), things)
        now = (old.things or ()) if things is None else [one.thing for one in things]
        label = _drawn(label, old, seen, found, now, size)
        label = None if np.array_equal(label, old.label) else label
    return Merged(things, label, removed)


def _things(old: Sequence[Thing], seen: Sequence[Thing], found: Sequence[Thing]) -> tuple[tuple[Kept, ...] | None, int]:
    """The things after the review and how many are gone; None when all are as they were."""
    own = matches(seen, found)
    written = {thing.number for thing in seen}
    after = {place: Kept(thing, place, False) for place, thing in enumerate(old) if place not in written}
    new = []
    for thing, place in zip(found, own, strict=True):
        if place is None:
            new.append(Kept(_new(thing, old), None, True))
        else:
            source = seen[place].number
            said = changes(seen[place], thing)
            after[source] = Kept(_changed(old[source], seen[place], said) if said else old[source], source, bool(said))
    removed = len(old) - len(after)
    if not new and not removed and not any(one.changed for one in after.values()):
        return None, 0
    return (*(after[place] for place in sorted(after)), *new), removed


def _changed(old: Thing, seen: Thing, said: dict[str, Any]) -> Thing:
    """A thing with what the files say otherwise."""
    if "mask" in said:
        said = {**said, "box": rle.box(said["mask"])}
    elif "box" in said and old.mask is not None:
        said = {**said, "mask": _cut(old.mask, said["box"])}
    if "keypoints" in said:
        said = {**said, **_moved(old, seen, said)}
    return replace(old, **{"score": _SURE, **said})


def _moved(old: Thing, seen: Thing, said: dict[str, Any]) -> dict[str, Any]:
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


def _new(thing: Thing, old: Sequence[Thing]) -> Thing:
    """A thing that nobody had found, complete."""
    box = rle.box(thing.mask) if thing.mask is not None else thing.bounds
    score = _SURE if thing.score is None else thing.score
    sure = thing.keypoint_scores
    if sure is None and thing.keypoints is not None:
        sure = np.where(thing.keypoints[:, 2] > 0, _SURE, 0.0)
    return replace(thing, box=box, score=score, crowd=bool(thing.crowd), keypoint_scores=sure, number=None)


def _cut(mask: np.ndarray, box: Sequence[float]) -> np.ndarray | None:
    """The pixels of a mask whose centre lies in a box; None when there are none."""
    x, y, w, h = box
    rows, columns = (np.arange(count) + 0.5 for count in mask.shape)
    inside = ((rows >= y) & (rows <= y + h))[:, None] & ((columns >= x) & (columns <= x + w))[None]
    cut = mask & inside
    return cut if cut.any() else None


def _follow(label: np.ndarray, old: Sequence[Thing], things: Sequence[Kept]) -> np.ndarray:
    """A class map after its objects changed."""
    label = label.copy()
    nothing = np.zeros(label.shape, bool)
    now = {one.place: one.thing for one in things if one.place is not None}
    for place, thing in enumerate(old):
        mask = nothing if thing.mask is None else thing.mask
        after = now.get(place)
        stays = nothing if after is None or after.mask is None else after.mask & mask
        known = label == thing.category + 1
        label[mask & ~stays & known] = 0
        if after is not None:
            label[stays & known] = after.category + 1
    gained = []
    for one in things:
        before = None if one.place is None else old[one.place].mask
        if one.changed and one.thing.mask is not None:
            mask = one.thing.mask if before is None else one.thing.mask & ~before
            gained.append(replace(one.thing, mask=mask))
    for thing in largest_first(gained):
        label[thing.mask] = VOID if thing.crowd else thing.category + 1
    return label


def _drawn(
    label: np.ndarray, old: Labels, seen: Labels, found: Labels, things: Sequence[Thing], size: Size
) -> np.ndarray:
    """A class map with what the files draw otherwise: of a map of theirs, of regions, or of void regions alone."""
    before, now = seen.label, found.label
    if old.things is None and now is None and found.things is not None:
        before, now = (_with_void(class_map(one.things or (), size), one.void) for one in (seen, found))
    if before is not None and now is not None:
        return np.where(now != before, now, label)
    if found.void is None or old.things is None:
        return label
    was = np.zeros(size, bool) if seen.void is None else seen.void
    cleared = class_map(things, size)
    label = np.where(was & ~found.void & (label == VOID), cleared, label)
    return np.where(found.void & ~was, np.uint8(VOID), label)


def _with_void(label: np.ndarray, void: np.ndarray | None) -> np.ndarray:
    return label if void is None else np.where(void, np.uint8(VOID), label)

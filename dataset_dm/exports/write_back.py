"""A reviewed row: its label columns written anew where a label changed, all others as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.merge import Kept, Merged
from dataset_dm.exports.sample import Sample, Thing, largest_first
from dataset_dm.labels import rle
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.records import VOID, Objects
from dataset_dm.store.label_codec import MOST_OBJECTS, class_ids, each, instance_picture, object_confidence

Row = dict[str, Any]
_IDS_A_PICTURE = MOST_OBJECTS + 1  # as in label_rows
_REVIEWED = "reviewed"
# the fields of objects in a row where the whole column is null; those that a set has not are left out with it
_NOTHING: Row = {
    name: []
    for name in (
        *("id", "area", "bbox", "category", "iscrowd", "segmentation", "score"),
        *("keypoints", "num_keypoints", "keypoint_score"),
    )
}


def reviewed_by(format: str, annotator: str | None) -> str:
    """The annotator of a reviewed row: the format it came by, and who had labelled it before.

    >>> reviewed_by("coco", "miniature")
    'reviewed:coco:miniature'
    """
    return f"{_REVIEWED}:{format}:{annotator or ''}"


def rewrite(row: Row, sample: Sample, merged: Merged, format: str) -> Row:
    """The row after its review; DataError for more objects than a row holds."""
    changed: Row = {"provenance": dict(row["provenance"] or {})}
    changed["provenance"]["annotator"] = reviewed_by(format, changed["provenance"].get("annotator"))
    if merged.changed:
        changed |= _labels(row, sample, merged)
    return {**row, **changed}


def _labels(row: Row, sample: Sample, merged: Merged) -> Row:
    changed: Row = {}
    quality = dict(row.get("quality") or {})
    if merged.things is not None:
        things = _ordered(merged.things, sample)
        changed["objects"] = _objects(row["objects"] or _NOTHING, things, sample)
        if "annotation" in row:
            changed["annotation"] = _picture(_painted([one.thing for one in things], sample))
        if row.get("label") is None and "classes" in row:
            changed["classes"] = sorted({one.thing.category + 1 for one in things})
        sure = object_confidence(_trusted(changed["objects"]))
        quality |= dict(zip(("object_confidence", "keypoint_confidence"), sure, strict=True))
    if merged.label is not None:
        changed["label"] = _picture(merged.label)
        if "classes" in row:
            changed["classes"] = class_ids(merged.label)
        quality["uncertain"] = float((merged.label == VOID).mean())
    if row.get("quality") is not None:
        changed["quality"] = {name: quality[name] for name in row["quality"]}
    return changed


def _trusted(objects: Row) -> Row:
    """What the mean scores are taken of; a set may have keypoints without scores."""
    scored = objects.get("keypoint_score") is not None
    points = {name: objects[name] if scored else None for name in ("keypoints", "keypoint_score")}
    return {"score": objects.get("score"), **points}


def _ordered(things: Sequence[Kept], sample: Sample) -> list[Kept]:
    """The surest first, as everywhere."""
    if len(things) > MOST_OBJECTS:
        raise DataError(
            explain(f"image {sample.name!r}: objects", got=len(things), expected=f"at most {MOST_OBJECTS} a picture")
        )
    return sorted(things, key=lambda one: -(one.thing.score or 0.0))


def _objects(before: Mapping[str, Any], things: Sequence[Kept], sample: Sample) -> Row:
    """The column: what nobody touched is kept value by value."""
    old = each(before)
    fields = [name for name, values in before.items() if values is not None]
    taken = {one.get("id") for one in old}
    first = sample.index * _IDS_A_PICTURE
    free = (number for number in range(first + 1, first + _IDS_A_PICTURE + len(taken)) if number not in taken)
    rows = []
    for kept in things:
        if kept.place is None:
            rows.append({**_fields(kept.thing, sample), "id": next(free)})
        elif kept.changed:
            rows.append({**old[kept.place], **_fields(kept.thing, sample)})
        else:
            rows.append(old[kept.place])
    return {name: [one.get(name) for one in rows] if name in fields else None for name in before}


def _fields(thing: Thing, sample: Sample) -> Row:
    mask = np.zeros(sample.size, bool) if thing.mask is None else thing.mask
    points = np.zeros((17, 3)) if thing.keypoints is None else thing.keypoints
    sure = np.zeros(17) if thing.keypoint_scores is None else thing.keypoint_scores
    return {
        "area": int(mask.sum()),
        "bbox": [float(value) for value in thing.bounds],
        "category": thing.category,
        "iscrowd": int(bool(thing.crowd)),
        "segmentation": rle.encode(mask),
        "score": thing.score,
        "keypoints": points.tolist(),
        "num_keypoints": int((points[:, 2] > 0).sum()),
        "keypoint_score": sure.tolist(),
    }


def _painted(things: Sequence[Thing], sample: Sample) -> np.ndarray:
    """The instance picture, uint8 [H W 3]; where two things share a pixel, the smaller one has it."""
    owner = np.full(sample.size, -1)
    numbered = [replace(thing, number=place) for place, thing in enumerate(things)]
    for thing in largest_first(numbered):
        owner[thing.mask] = thing.number
    masks = np.array([owner == place for place in range(len(things))], bool).reshape(-1, *sample.size)
    classes = np.array([thing.category + 1 for thing in things], np.int64)
    return instance_picture(Objects(masks, classes, np.ones(len(things), np.float32)))


def _picture(pixels: np.ndarray) -> Row:
    return {"bytes": encode_png(pixels), "path": None}

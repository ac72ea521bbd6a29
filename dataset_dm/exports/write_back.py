"""A reviewed row: its label columns written anew where a label changed, all others as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.merge import Kept, Merged
from dataset_dm.exports.sample import Sample
from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.file_instance import FileInstance
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.store.label_codec import MOST_OBJECTS, annotation_image, class_ids, each, object_confidence

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
    if merged.instances is not None:
        instances = _ordered(merged.instances, sample)
        changed["objects"] = _objects(row["objects"] or _NOTHING, instances, sample)
        if "annotation" in row:
            changed["annotation"] = _picture(_painted([one.instance for one in instances], sample))
        if row.get("label") is None and "classes" in row:
            changed["classes"] = sorted({one.instance.category + 1 for one in instances})
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


def _ordered(instances: Sequence[Kept], sample: Sample) -> list[Kept]:
    """The surest first, as everywhere."""
    if len(instances) > MOST_OBJECTS:
        raise DataError(
            explain(f"image {sample.name!r}: objects", got=len(instances), expected=f"at most {MOST_OBJECTS} a picture")
        )
    return sorted(instances, key=lambda one: -(one.instance.score or 0.0))


def _objects(before: Mapping[str, Any], instances: Sequence[Kept], sample: Sample) -> Row:
    """The column: what nobody touched is kept value by value."""
    old = each(before)
    fields = [name for name, values in before.items() if values is not None]
    taken = {one.get("id") for one in old}
    first = sample.index * _IDS_A_PICTURE
    free = (number for number in range(first + 1, first + _IDS_A_PICTURE + len(taken)) if number not in taken)
    rows = []
    for kept in instances:
        if kept.place is None:
            rows.append({**_fields(kept.instance, sample), "id": next(free)})
        elif kept.changed:
            rows.append({**old[kept.place], **_fields(kept.instance, sample)})
        else:
            rows.append(old[kept.place])
    return {name: [one.get(name) for one in rows] if name in fields else None for name in before}


def _fields(instance: FileInstance, sample: Sample) -> Row:
    mask = np.zeros(sample.size, bool) if instance.mask is None else instance.mask
    points = np.zeros((JOINTS, 3)) if instance.keypoints is None else instance.keypoints
    sure = np.zeros(JOINTS) if instance.keypoint_scores is None else instance.keypoint_scores
    return {
        "area": int(mask.sum()),
        "bbox": [float(value) for value in instance.bounds],
        "category": instance.category,
        "iscrowd": int(bool(instance.crowd)),
        "segmentation": rle.encode(mask),
        "score": instance.score,
        "keypoints": points.tolist(),
        "num_keypoints": int((points[:, 2] > 0).sum()),
        "keypoint_score": sure.tolist(),
    }


def _painted(instances: Sequence[FileInstance], sample: Sample) -> np.ndarray:
    """The instance image, uint8 [H W 3]; where two instances share a pixel, the smaller one has it."""
    empty = np.zeros(sample.size, bool)
    masks = np.array([empty if one.mask is None else one.mask for one in instances], bool).reshape(-1, *sample.size)
    return annotation_image(Instances.from_masks(masks, np.array([one.category + 1 for one in instances], np.int64)))


def _picture(pixels: np.ndarray) -> Row:
    return {"bytes": encode_png(pixels), "path": None}

"""The row after its review: label columns of changed labels are rewritten, all others stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

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
_IDS_PER_IMAGE = MOST_OBJECTS + 1  # as in label_rows
_REVIEWED = "reviewed"
# the fields of objects in a row where the whole column is null; fields that a set does not have are left out later
_NOTHING: Row = {
    name: []
    for name in (
        *("id", "area", "bbox", "category", "iscrowd", "segmentation", "score"),
        *("keypoints", "num_keypoints", "keypoint_score"),
    )
}


def reviewed_by(format: str, annotator: str | None) -> str:
    """The annotator of a reviewed row: the format of the review, and the earlier annotator.

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
            changed["annotation"] = _png(_painted([kept.instance for kept in instances], sample))
        if row.get("label") is None and "classes" in row:
            changed["classes"] = sorted({kept.instance.category + 1 for kept in instances})
        means = object_confidence(_scored(changed["objects"]))
        quality |= dict(zip(("object_confidence", "keypoint_confidence"), means, strict=True))
    if merged.label is not None:
        changed["label"] = _png(merged.label)
        if "classes" in row:
            changed["classes"] = class_ids(merged.label)
        quality["uncertain"] = float((merged.label == VOID).mean())
    if row.get("quality") is not None:
        changed["quality"] = {name: quality[name] for name in row["quality"]}
    return changed


def _scored(objects: Row) -> Row:
    """The fields that mean scores are taken of; a set may have keypoints without scores."""
    has_scores = objects.get("keypoint_score") is not None
    points = {name: objects[name] if has_scores else None for name in ("keypoints", "keypoint_score")}
    return {"score": objects.get("score"), **points}


def _ordered(instances: Sequence[Kept], sample: Sample) -> list[Kept]:
    """Instances by descending score; DataError for more than a row can have."""
    if len(instances) > MOST_OBJECTS:
        raise DataError(
            explain(f"image {sample.name!r}: objects", got=len(instances), expected=f"at most {MOST_OBJECTS} per image")
        )
    return sorted(instances, key=lambda kept: -(kept.instance.score or 0.0))


def _objects(before: Mapping[str, Any], instances: Sequence[Kept], sample: Sample) -> Row:
    """The column objects; unchanged instances keep their exact values."""
    old = each(before)
    fields = [name for name, values in before.items() if values is not None]
    taken = {entry.get("id") for entry in old}
    first = sample.index * _IDS_PER_IMAGE
    free = (number for number in range(first + 1, first + _IDS_PER_IMAGE + len(taken)) if number not in taken)
    rows = []
    for kept in instances:
        if kept.place is None:
            rows.append({**_fields(kept.instance, sample), "id": next(free)})
        elif kept.changed:
            rows.append({**old[kept.place], **_fields(kept.instance, sample)})
        else:
            rows.append(old[kept.place])
    return {name: [entry.get(name) for entry in rows] if name in fields else None for name in before}


def _fields(instance: FileInstance, sample: Sample) -> Row:
    mask = np.zeros(sample.size, bool) if instance.mask is None else instance.mask
    points = np.zeros((JOINTS, 3)) if instance.keypoints is None else instance.keypoints
    scores = np.zeros(JOINTS) if instance.keypoint_scores is None else instance.keypoint_scores
    return {
        "area": int(mask.sum()),
        "bbox": [float(value) for value in instance.bounds],
        "category": instance.category,
        "iscrowd": int(bool(instance.crowd)),
        "segmentation": rle.encode(mask),
        "score": instance.score,
        "keypoints": points.tolist(),
        "num_keypoints": int((points[:, 2] > 0).sum()),
        "keypoint_score": scores.tolist(),
    }


def _painted(instances: Sequence[FileInstance], sample: Sample) -> UInt8[np.ndarray, "H W 3"]:
    """The instance image; where two instances share a pixel, the smaller one has it."""
    empty = np.zeros(sample.size, bool)
    masks = [empty if entry.mask is None else entry.mask for entry in instances]
    classes = np.array([entry.category + 1 for entry in instances], np.int64)
    return annotation_image(Instances.from_masks(np.array(masks, bool).reshape(-1, *sample.size), classes))


def _png(pixels: UInt8[np.ndarray, "*hwc"]) -> Row:
    return {"bytes": encode_png(pixels), "path": None}

"""Annotations → label rows of a shard, and back: masks as run lengths, maps as PNG, depth as TIFF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.images import decode_depth, decode_png, encode_depth, encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.store.schema import LABEL_ROWS

if TYPE_CHECKING:
    from jaxtyping import UInt8

# The instance image is one byte a channel: the 255 instances of highest score are kept. Ids leave room for as many.
MOST_OBJECTS = 255
_IDS_PER_IMAGE = MOST_OBJECTS + 1

Plain = dict[str, Any]


def label_rows(indices: Sequence[int], found: Sequence[Annotation]) -> pa.Table:
    """The rows of annotations, with the columns of LABEL_ROWS; missing kinds of label are null."""
    rows = [to_row(index, one) for index, one in zip(indices, found, strict=True)]
    return pa.Table.from_pylist(rows, schema=LABEL_ROWS)


def to_row(index: int, found: Annotation) -> Plain:
    """One annotation as the plain dict of a row."""
    objects = None if found.objects is None else _plain_objects(index, found.objects)
    if found.label is not None:
        shown: list[int] | None = class_ids(found.label)
    else:
        shown = None if objects is None else sorted({category + 1 for category in objects["category"]})
    return {
        "index": index,
        "label": _png_cell(found.label),
        "full": _png_cell(found.full),
        "classes": shown,
        "presence": None if found.presence is None else np.asarray(found.presence, dtype=np.float32),
        "confidence": found.confidence,
        "uncertain": found.uncertain,
        "objects": objects,
        "annotation": None if found.objects is None else _png_cell(annotation_image(found.objects)),
        "depth": None if found.depth is None else {"bytes": encode_depth(found.depth), "path": None},
        "depth_confidence": _mean_depth_confidence(found),
        "agreement": None if found.agreement is None else _without_nan(found.agreement),
    }


def from_row(row: Mapping[str, Any]) -> Annotation:
    """The annotation of a row. Of the confidence of depth only the mean is kept: each known pixel has it."""
    label, full, depth = row["label"], row["full"], row["depth"]
    metres = None if depth is None else decode_depth(depth["bytes"])
    confidence, agreed = row["depth_confidence"], row.get("agreement")
    return Annotation(
        confidence=row["confidence"],
        presence=None if row["presence"] is None else np.asarray(row["presence"], dtype=np.float32),
        label=None if label is None else decode_png(label["bytes"]),
        full=None if full is None else decode_png(full["bytes"]),
        uncertain=row["uncertain"],
        agreement=None if agreed is None else np.array(agreed, dtype=np.float32),  # None becomes NaN
        objects=None if row["objects"] is None else _objects(row["objects"], decode_png(row["annotation"]["bytes"])),
        depth=metres,
        depth_confidence=None if metres is None or confidence is None else np.float32(confidence) * (metres > 0),
    )


def class_ids(label: UInt8[np.ndarray, "H W"]) -> list[int]:
    """The class ids in a label map, ascending, without background (0) and void (255)."""
    counts = np.bincount(label.ravel(), minlength=256)
    return [int(value) for value in np.flatnonzero(counts) if value not in (0, VOID)]


def annotation_image(objects: Instances) -> UInt8[np.ndarray, "H W 3"]:
    """Red the class id, green the number of the object from 1, blue 0; background 0."""
    kept = _storable(objects)
    return np.stack([kept.class_map(), kept.map.astype(np.uint8), np.zeros(kept.map.shape, np.uint8)], axis=-1)


def without_low_scores(row: Mapping[str, Any], least: float) -> tuple[Plain, int]:
    """A row without the objects whose score is below `least`, in `objects` and `annotation`; and how many these are.

    The others keep their ids and are renumbered in `annotation`, which is encoded again only when it changes.
    """
    objects = row["objects"]
    kept = [position for position, score in enumerate(objects["score"]) if score >= least]
    lost = len(objects["score"]) - len(kept)
    if not lost:
        return dict(row), 0
    numbers = np.zeros(256, dtype=np.uint8)
    numbers[[position + 1 for position in kept]] = np.arange(1, len(kept) + 1)
    annotation = decode_png(row["annotation"]["bytes"]).copy()
    annotation[..., 1] = numbers[annotation[..., 1]]
    annotation[annotation[..., 1] == 0] = 0
    changed = {"objects": _chosen(objects, kept), "annotation": _png_cell(annotation)}
    if row["label"] is None:
        changed["classes"] = sorted({category + 1 for category in changed["objects"]["category"]})
    return {**row, **changed}, lost


def object_confidence(objects: Mapping[str, Any] | None) -> tuple[float | None, float | None]:
    """Mean score of the objects, and of those keypoints that are in the image; None where there are none."""
    if objects is None or not objects["score"]:
        return None, None
    points = [
        score
        for scores, joints in zip(objects["keypoint_score"] or (), objects["keypoints"] or (), strict=True)
        for score, joint in zip(scores, joints, strict=True)
        if joint[2] > 0
    ]
    return float(np.mean(objects["score"])), float(np.mean(points)) if points else None


def each(objects: Mapping[str, Any]) -> list[Plain]:
    """The column `objects` of one row as one dict an object."""
    fields = {name: values for name, values in objects.items() if values is not None}
    return [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]


def _plain_objects(index: int, objects: Instances) -> Plain:
    objects = _storable(objects)
    count, masks = len(objects), objects.masks
    points, confidence = objects.keypoints, objects.keypoint_scores
    if points is not None:
        points = np.where(points[..., 2:] > 0, points, 0).astype(np.float32)  # COCO: a point without v is 0, 0, 0
    return {
        "id": [index * _IDS_PER_IMAGE + number for number in range(1, count + 1)],
        "area": [int(mask.sum()) for mask in masks],
        "bbox": [list(rle.box(mask)) for mask in masks],
        "category": [int(class_id) - 1 for class_id in objects.classes],
        "iscrowd": [0] * count,
        "segmentation": [rle.encode(mask) for mask in masks],
        "score": [float(score) for score in objects.scores],
        "keypoints": None if points is None else points.tolist(),
        "num_keypoints": None if points is None else (points[..., 2] > 0).sum(axis=1).tolist(),
        "keypoint_score": None if confidence is None else confidence.tolist(),
    }


def _objects(plain: Mapping[str, Any], annotation: np.ndarray) -> Instances:
    count = len(plain["score"])
    points, scores = plain["keypoints"], plain["keypoint_score"]
    return Instances(
        map=annotation[..., 1],
        classes=np.asarray(plain["category"], dtype=np.int64) + 1,
        scores=np.asarray(plain["score"], dtype=np.float32),
        keypoints=None if points is None else np.asarray(points, dtype=np.float32).reshape(count, JOINTS, 3),
        keypoint_scores=None if scores is None else np.asarray(scores, dtype=np.float32).reshape(count, JOINTS),
    )


def _storable(objects: Instances) -> Instances:
    return objects if len(objects) <= MOST_OBJECTS else objects.select(range(MOST_OBJECTS))


def _chosen(objects: Mapping[str, Any], kept: Sequence[int]) -> Plain:
    """The same fields with the entries of the kept objects only."""
    return {
        name: None if values is None else [values[position] for position in kept] for name, values in objects.items()
    }


def _without_nan(numbers: np.ndarray) -> list[float | None]:
    return [None if np.isnan(number) else float(number) for number in numbers]


def _png_cell(pixels: np.ndarray | None) -> Plain | None:
    return None if pixels is None else {"bytes": encode_png(pixels), "path": None}


def _mean_depth_confidence(found: Annotation) -> float | None:
    """None also where no depth is known at all."""
    if found.depth is None or found.depth_confidence is None:
        return None
    known = found.depth > 0
    return float(found.depth_confidence[known].mean()) if known.any() else None

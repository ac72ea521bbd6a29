"""A stored row as a sample: images stay bytes, label maps and masks become arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, UnidentifiedImageError

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.sample import Labels, Sample, file_name
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.annotations import mask_of
from dataset_dm.readers.hub import as_rows

_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}
Row = dict[str, Any]


def sample_of(row: Row, split: str, index: int, position: int, classes: Sequence[str], source: str) -> Sample:
    """The sample of a row; DataError naming the row when an image or a label cannot be read.

    Args:
        row: its columns, images undecoded.
        split, index: see `Sample`.
        position: its place in the split, for messages.
        classes: names without background.
        source: name of the set, for messages.
    """
    place = f"{source}, {split} row {position}"
    image = _bytes(row.get("image"), f"{place}: image")
    suffix, size = _kind_and_size(image, place)
    label = None
    if row.get("label") is not None:
        label = _label(row["label"], size, len(classes), place)
    instances = None
    if "objects" in row:
        rows = as_rows(row.get("objects"))
        instances = tuple(_instance(entry, size, len(classes), f"{place}, object {i}") for i, entry in enumerate(rows))
    return Sample(
        name=file_name(split, index),
        split=split,
        index=index,
        image=image,
        suffix=suffix,
        size=size,
        labels=Labels(instances=instances, label=label),
        has_depth=row.get("depth_map") is not None,
    )


def _bytes(value: Any, place: str) -> bytes:
    """The bytes of an undecoded image column."""
    try:
        return value["bytes"] if value["bytes"] is not None else Path(value["path"]).read_bytes()
    except (OSError, TypeError, KeyError) as error:
        raise DataError(explain(f"{place}: is missing ({type(error).__name__})")) from error


def _kind_and_size(image: bytes, place: str) -> tuple[str, Size]:
    """Suffix and (H, W) of an image, from its header."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            return _SUFFIXES.get(opened.format or "", f".{(opened.format or 'png').lower()}"), opened.size[::-1]
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(explain(f"{place}: image cannot be read ({error})")) from error


def _label(value: Any, size: Size, classes: int, place: str) -> UInt8[np.ndarray, "H W"]:
    try:
        label = decode_png(_bytes(value, f"{place}: label"))
    except OSError as error:
        raise DataError(explain(f"{place}: label cannot be read ({error})")) from error
    if label.shape != size or label.dtype != np.uint8:
        raise DataError(explain(f"{place}: label", got=f"{label.shape} {label.dtype}", expected=f"uint8 {size}"))
    wrong = label[(label > classes) & (label != VOID)]
    if wrong.size:
        raise DataError(
            explain(f"{place}: label", got=int(wrong[0]), expected=f"classes 0..{classes}, or {VOID} for void")
        )
    return label


def _instance(row: Row, size: Size, classes: int, place: str) -> FileInstance:
    if row.get("category") is None or row.get("bbox") is None:
        raise DataError(explain(f"{place}", got=", ".join(row), expected="category and bbox"))
    if not 0 <= int(row["category"]) < classes:
        raise DataError(explain(f"{place}: category", got=row["category"], expected=f"0..{classes - 1}"))
    form, points, scores = row.get("segmentation"), row.get("keypoints"), row.get("keypoint_score")
    mask = mask_of(form, size, place) if form else None
    x, y, w, h = (float(value) for value in row["bbox"])
    return FileInstance(
        category=int(row["category"]),
        box=(x, y, w, h),
        mask=mask if mask is not None and mask.any() else None,
        score=row.get("score"),
        crowd=bool(row.get("iscrowd")),
        keypoints=None if points is None else _points(points),
        keypoint_scores=None if scores is None else np.array(scores, np.float64),
        number=row.get("id"),
    )


def _points(values: Any) -> Float64[np.ndarray, "17 3"]:
    points = np.array(values, np.float64).reshape(JOINTS, 3)
    return np.where(points[:, 2:] > 0, points, 0.0)

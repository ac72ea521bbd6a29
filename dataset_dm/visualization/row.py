"""One sample of a sheet, read from a dataset's row of any config."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from dataset_dm.errors import DataError, explain
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.rle import decode, from_polygons

COLUMNS = ("label", "objects", "annotation", "depth_map")


@dataclass(frozen=True)
class Row:
    """One sample: its image and labels; None is not drawn.

    Args:
        image: uint8 [H W 3].
        label: uint8 [H W], 0 background, 255 void.
        prompt, confidence, index: written under the image.
        truth: the class map that `label` should be.
        note: written in the right corner.
        objects: shown with outlines; with boxes alone where none has a pixel; with keypoints, skeletons too.
        depth: float32 [H W], metres, 0 unknown.
        truth_objects, truth_depth: what `objects` and `depth` should be.
        kinds: the labels to draw, names of `tasks.TASKS`; None draws those with a truth, or all if there is no truth.
    """

    image: np.ndarray
    label: np.ndarray | None = None
    prompt: str = ""
    confidence: float | None = None
    index: int | None = None
    truth: np.ndarray | None = None
    note: str = ""
    objects: Instances | None = None
    depth: np.ndarray | None = None
    truth_objects: Instances | None = None
    truth_depth: np.ndarray | None = None
    kinds: tuple[str, ...] | None = None

    def labels(self, truth: bool = False) -> dict[str, Any]:
        """Kind (a task's name) → its label, or its truth, where there is one; in the order of the panels."""
        objects = self.objects
        if truth:
            objects = None if self.truth_objects is None else replace(self.truth_objects, scores=None)
        found = {
            "semantic": self.truth if truth else self.label,
            "instance": objects,
            "pose": objects if objects is not None and objects.keypoints is not None else None,
            "depth": self.truth_depth if truth else self.depth,
        }
        return {kind: label for kind, label in found.items() if label is not None}

    def chosen(self) -> tuple[str, ...]:
        """The kinds to draw; ValueError for a requested kind that the row lacks."""
        there, true = self.labels(), self.labels(truth=True)
        if self.kinds is None:
            return tuple(true or there)
        for kind in self.kinds:
            if kind not in there and kind not in true:
                known = ", ".join({**there, **true}) or "no label"
                raise ValueError(f"preview: a row asks for {kind!r}, but has {known}")
        return self.kinds


def read_row(record: Mapping[str, Any], index: int | None = None) -> Row:
    """A dataset's row of any config: `image` and any of `label`, `objects`, `annotation`, `depth_map`.

    `objects` as a dict of lists or a list of dicts, in COCO's terms: outlines from `segmentation`, else from
    `annotation` (the i-th object is G = i), else boxes alone. Without `objects` the instances come from `annotation`.
    `prompt` and `quality` are optional.

    Raises:
        DataError: the row has no image, or none of these labels, or a label that cannot be read.
    """
    if record.get("image") is None:
        raise DataError(explain("preview: no column 'image'", got=", ".join(record), expected="rows of an image set"))
    if all(record.get(column) is None for column in COLUMNS):
        expected = f"one of {', '.join(COLUMNS)}"
        raise DataError(explain("preview: no column with labels", got=", ".join(record), expected=expected))
    label, depth = record.get("label"), record.get("depth_map")
    quality = record.get("quality") or {}
    image = np.asarray(_image(record["image"]).convert("RGB"))
    return Row(
        image=image,
        label=None if label is None else np.asarray(_image(label)).astype(np.uint8),
        prompt=record.get("prompt") or "",
        confidence=quality.get("confidence"),
        index=index,
        objects=_objects(record, image.shape[:2]),
        depth=None if depth is None else np.asarray(_image(depth)).astype(np.float32),
    )


def _objects(record: Mapping[str, Any], size: tuple[int, int]) -> Instances | None:
    """The objects of a row: of its column `objects`, else of the colours of `annotation`."""
    colours = record.get("annotation")
    painted = None if colours is None else np.asarray(_image(colours).convert("RGB"))
    if record.get("objects") is None:
        return None if painted is None else _painted(painted)
    columns = _columns(record["objects"])
    if columns.get("category") is None or columns.get("bbox") is None:
        expected = "category and bbox, as in COCO"
        raise DataError(explain("preview: column 'objects'", got=", ".join(columns), expected=expected))
    count = len(columns["category"])
    keypoints = columns.get("keypoints")
    scores = columns.get("score")
    classes = np.array(columns["category"], dtype=np.int64).reshape(-1) + 1
    outlined = Instances.from_masks(_masks(columns.get("segmentation"), painted, count, size), classes)
    return replace(
        outlined,
        boxes=np.array(columns["bbox"], dtype=np.float32).reshape(-1, 4),
        scores=None if scores is None else np.array(scores, dtype=np.float32).reshape(-1),
        keypoints=None if keypoints is None else np.array(keypoints, dtype=np.float32).reshape(-1, JOINTS, 3),
    )


def _masks(forms: Sequence[Any] | None, painted: np.ndarray | None, count: int, size: tuple[int, int]) -> np.ndarray:
    """bool [n H W] from run lengths or polygons, else from the colours; empty ones when there are neither."""
    if forms is None and painted is not None:
        return painted[None, ..., 1] == np.arange(1, count + 1)[:, None, None]
    masks = np.zeros((count, *size), dtype=bool)
    for i, form in enumerate(forms or ()):
        if form is None or (not isinstance(form, Mapping) and not len(form)):
            continue  # its box is drawn
        try:
            mask = decode(form if isinstance(form, Mapping) else from_polygons(form, size))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(explain(f"preview: segmentation of object {i} cannot be read ({error})")) from error
        if mask.shape != size:
            raise DataError(explain(f"preview: segmentation of object {i}", got=mask.shape, expected=f"size {size}"))
        masks[i] = mask
    return masks


def _painted(colours: np.ndarray) -> Instances:
    """The instances of an `annotation` uint8 [H W 3]: R the class id, G the object's number, 0 for none."""
    numbers = [int(i) for i in np.unique(colours[..., 1]) if i]
    masks = np.array([colours[..., 1] == i for i in numbers], dtype=bool).reshape(-1, *colours.shape[:2])
    classes = np.array([np.bincount(colours[..., 0][mask]).argmax() for mask in masks], dtype=np.int64)
    return Instances.from_masks(masks, classes)


def _columns(objects: Any) -> dict[str, Any]:
    """Instances as a dict of lists, from that or from a list of dicts."""
    if isinstance(objects, Mapping):
        return dict(objects)
    names = list(dict.fromkeys(name for one in objects for name in one)) or ["category", "bbox"]
    return {name: [one.get(name) for one in objects] for name in names}


def _image(value: Any) -> Image.Image:
    """A decoded image as it is, or the one in the bytes of an undecoded column."""
    return value if isinstance(value, Image.Image) else Image.open(io.BytesIO(value["bytes"]))

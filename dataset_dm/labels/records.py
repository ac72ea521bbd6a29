"""Prompts, annotations and their quality, and the dataset columns that store them.

Reading and writing rows needs the columns as plain dicts alone, so `datasets` is imported only inside `features`. The
dicts have the oldest spelling that every supported version of `datasets` reads ("Sequence", not "List").
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_dm.labels.provenance import PROVENANCE
from dataset_dm.labels.vocabulary import BACKGROUND

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

    from dataset_dm.labels.instances import Instances


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text and the classes that it names; with `classes=None` they are found in the text."""

    text: str
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """The labels of one image; None for those that were not read.

    Args:
        confidence: mean certainty of the labels in 0..1: of the pixels' classes, else of the objects, else of depth.
        presence: float32 [k] in 0..1, probability that the class is in the image at all.
        label: uint8 [H W]; 0 background, i + 1 the i-th class, 255 where the annotator is uncertain.
        full: `label` before pixels became 255, uint8 [H W]; metrics use it.
        uncertain: share of pixels that are 255, 0..1.
        probability: of the chosen class before voiding, float32 [H W] in 0..1; None unless requested.
        agreement: float32 [k] in 0..1, agreement of several annotators about the class: intersection over union of
            their masks; NaN for a class that none of them has. None for a single annotator.
        objects: the instances found, by descending score.
        depth: float32 [H W], metres along the optical axis; 0 unknown.
        depth_confidence: float32 [H W] in 0..1, chance that `depth` is within a factor of 1.25; 0 where unknown.
    """

    confidence: float
    presence: np.ndarray | None = None
    label: np.ndarray | None = None
    full: np.ndarray | None = None
    uncertain: float | None = None
    probability: np.ndarray | None = None
    agreement: np.ndarray | None = None
    objects: Instances | None = None
    depth: np.ndarray | None = None
    depth_confidence: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Confidence figures of a row, each 0..1; None for a kind of label that was not read.

    Args:
        confidence: as in `Annotation`.
        uncertain: share of void pixels.
        presence: aligned with the class names without background.
        object_confidence: mean score of the objects; None also when there are none.
        keypoint_confidence: mean score of the keypoints that are in the image; None also when there are none.
        depth_confidence: mean over the pixels whose depth is known.
        agreement: as in `Annotation`, aligned with the class names without background; None for an absent
            class, and as a whole for a single annotator.
    """

    confidence: float
    uncertain: float | None = None
    presence: tuple[float, ...] | None = None
    object_confidence: float | None = None
    keypoint_confidence: float | None = None
    depth_confidence: float | None = None
    agreement: tuple[float | None, ...] | None = None


def __getattr__(name: str) -> Any:
    if name != "Objects":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dataset_dm.labels.instances import Instances

    message = "dataset_dm.labels.records.Objects is now dataset_dm.labels.instances.Instances.from_masks"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return Instances.from_masks


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _many(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "Sequence"}


QUALITY = {
    "confidence": _value("float32"),
    "uncertain": _value("float32"),
    "presence": _many(_value("float32")),
    "object_confidence": _value("float32"),
    "keypoint_confidence": _value("float32"),
    "depth_confidence": _value("float32"),
    "agreement": _many(_value("float32")),
}

_IMAGE = {"_type": "Image"}
# the columns before prompt, quality and provenance
_SEMANTIC = ("image", "label", "classes")
_INSTANCE = ("image_id", "image", "width", "height", "objects", "annotation", "semantic_class_to_id")
_DEPTH = ("image", "depth_map")
_ALL = (*_INSTANCE[:4], "label", "classes", *_INSTANCE[4:], "depth_map")


def semantic_features(classes: Sequence[str]) -> dict[str, Any]:
    """Columns of a semantic set as plain dicts; `classes` are the names without background, here and below.

    `image` RGB, `label` L PNG (0 background, 255 void), `classes` the class ids found in the label.
    """
    return _columns(_SEMANTIC, classes)


def instance_features(classes: Sequence[str]) -> dict[str, Any]:
    """Columns of an instance set, those that transformers' detection and instance segmentation examples read.

    `image_id` the index of the row; `objects` see `object_features`; `annotation` RGB PNG: R class id (0 background),
    G number of the object in `objects` from 1 (0 none), B 0; `semantic_class_to_id` name → id in R.
    """
    return _columns(_INSTANCE, classes)


def keypoint_features(classes: Sequence[str]) -> dict[str, Any]:
    """Columns of a keypoint set: those of an instance set, `objects` with keypoints."""
    return _columns(_INSTANCE, classes, keypoints=True)


def depth_features(classes: Sequence[str]) -> dict[str, Any]:
    """Columns of a depth set: `image` RGB, `depth_map` a float32 TIFF in metres, 0 unknown."""
    return _columns(_DEPTH, classes)


def all_features(classes: Sequence[str]) -> dict[str, Any]:
    """All columns above in one row."""
    return _columns(_ALL, classes, keypoints=True)


def object_features(classes: Sequence[str], *, keypoints: bool) -> dict[str, Any]:
    """The fields of one of the `objects`; the column holds a list for every field, with one entry an object.

    `id` unique in the split; `area` and `bbox` (x, y, w, h) in pixels; `category` counts from 0, background is no
    object; `segmentation` COCO's compressed run lengths, ready for `rle.decode`; `keypoints` 17 x (x, y, v).
    """
    numbers = _many(_value("float32"))
    fields: dict[str, Any] = {
        "id": _value("int64"),
        "area": _value("int64"),
        "bbox": numbers,
        "category": {"names": list(classes), "_type": "ClassLabel"},
        "iscrowd": _value("int8"),
        "segmentation": {"size": _many(_value("int32")), "counts": _value("string")},
        "score": _value("float32"),
    }
    if keypoints:
        fields["keypoints"] = _many(numbers)
        fields["num_keypoints"] = _value("int32")
        fields["keypoint_score"] = numbers
    return fields


def _columns(chosen: Sequence[str], classes: Sequence[str], *, keypoints: bool = False) -> dict[str, Any]:
    names = [BACKGROUND, *classes]
    known = {
        "image_id": _value("int64"),
        "image": _IMAGE,
        "width": _value("int32"),
        "height": _value("int32"),
        "label": _IMAGE,
        "classes": _many({"names": names, "_type": "ClassLabel"}),
        # a dict of lists in every version; before 4, example scripts look for class names in a Sequence of a dict
        "objects": _many(object_features(classes, keypoints=keypoints)),
        "annotation": _IMAGE,
        "semantic_class_to_id": {name: _value("int64") for name in names},
        "depth_map": _IMAGE,
    }
    columns = {name: known[name] for name in chosen}
    return {**columns, "prompt": _value("string"), "quality": QUALITY, "provenance": PROVENANCE}


def features(plain: dict[str, Any]) -> datasets.Features:
    """The `datasets.Features` of a plain dict."""
    import datasets

    return datasets.Features.from_dict(plain)


def arrow_schema(plain: dict[str, Any]) -> pa.Schema:
    """The Arrow schema with the metadata by which plain `load_dataset` restores images and class names."""
    import pyarrow as pa

    fields = [pa.field(name, _arrow_type(feature)) for name, feature in plain.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": plain}})})


def _arrow_type(feature: dict[str, Any] | list[dict[str, Any]]) -> pa.DataType:
    import pyarrow as pa

    if isinstance(feature, list):  # of dicts: a Sequence of a dict is a dict of lists
        return pa.list_(_arrow_type(feature[0]))
    kind = feature.get("_type")
    if not isinstance(kind, str):
        return pa.struct([pa.field(name, _arrow_type(inner)) for name, inner in feature.items()])
    if kind == "Image":
        return pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "Sequence":
        inner = feature["feature"]
        if isinstance(inner.get("_type"), str):
            return pa.list_(_arrow_type(inner))
        return pa.struct([pa.field(name, pa.list_(_arrow_type(field))) for name, field in inner.items()])
    return pa.type_for_alias(feature["dtype"])

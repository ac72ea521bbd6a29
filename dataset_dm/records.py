"""What travels through the flow, and the columns it becomes; the two stand side by side.

`datasets` is imported only where its objects are asked for: reading and writing rows needs the plain dict form alone,
which is kept in the oldest spelling that every supported version of `datasets` reads ("Sequence", not "List").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

BACKGROUND = "background"
VOID = 255


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text and the classes it is known to show; `classes=None` means that nobody said, so they are looked for."""

    text: str
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """The labels of one picture.

    Args:
        label: uint8 [H W]; 0 background, i + 1 the i-th class, 255 where the labeller is unsure.
        presence: float32 [k] in 0..1, how sure the labeller is that the class is in the picture at all.
        confidence: mean probability of the chosen class over all pixels, 0..1.
        uncertain: share of pixels that are 255, 0..1.
        full: `label` before pixels became 255, uint8 [H W]: what figures are measured on.
        probability: of the chosen class before voiding, float32 [H W] in 0..1; None where nobody asked for it.
    """

    label: np.ndarray
    presence: np.ndarray
    confidence: float
    uncertain: float
    full: np.ndarray
    probability: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """How far a row can be trusted; `presence` is aligned with the class names without background, each 0..1."""

    confidence: float
    uncertain: float
    presence: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Everything that makes a row again, next to its prompt."""

    index: int
    split: str
    seed: int
    attempt: int
    generator: str
    revision: str | None
    generator_hash: str
    adapter: str | None
    annotator: str
    annotator_revision: str | None
    annotator_hash: str
    steps: int
    guidance: float | None
    scheduler: str | None
    width: int
    height: int
    dtype: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished row: image and label as PNG bytes, classes by name."""

    image: bytes
    label: bytes
    classes: tuple[str, ...]
    prompt: str
    quality: Quality
    provenance: Provenance
    extra: dict[str, Any] = field(default_factory=dict)


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _many(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "Sequence"}


QUALITY = {"confidence": _value("float32"), "uncertain": _value("float32"), "presence": _many(_value("float32"))}

PROVENANCE = {
    "index": _value("int64"),
    "split": _value("string"),
    "seed": _value("int64"),
    "attempt": _value("int32"),
    "generator": _value("string"),
    "revision": _value("string"),
    "generator_hash": _value("string"),
    "adapter": _value("string"),
    "annotator": _value("string"),
    "annotator_revision": _value("string"),
    "annotator_hash": _value("string"),
    "steps": _value("int32"),
    "guidance": _value("float64"),
    "scheduler": _value("string"),
    "width": _value("int32"),
    "height": _value("int32"),
    "dtype": _value("string"),
}


def semantic_features(classes: Sequence[str]) -> dict[str, Any]:
    """Columns of a semantic set as plain dicts; `classes` are the names without background.

    `image` RGB, `label` L PNG (0 background, 255 void), `classes` the class ids found in the label.
    """
    image = {"_type": "Image"}
    return {
        "image": image,
        "label": image,
        "classes": _many({"names": [BACKGROUND, *classes], "_type": "ClassLabel"}),
        "prompt": _value("string"),
        "quality": QUALITY,
        "provenance": PROVENANCE,
    }


def features(plain: dict[str, Any]) -> datasets.Features:
    """The `datasets.Features` of a plain dict."""
    import datasets

    return datasets.Features.from_dict(plain)


def arrow_schema(plain: dict[str, Any]) -> pa.Schema:
    """The Arrow schema with the metadata by which plain `load_dataset` restores images and class names."""
    import pyarrow as pa

    fields = [pa.field(name, _arrow_type(feature)) for name, feature in plain.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": plain}})})


def _arrow_type(feature: dict[str, Any]) -> pa.DataType:
    import pyarrow as pa

    kind = feature.get("_type")
    if not isinstance(kind, str):
        return pa.struct([pa.field(name, _arrow_type(inner)) for name, inner in feature.items()])
    if kind == "Image":
        return pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "Sequence":
        return pa.list_(_arrow_type(feature["feature"]))
    return pa.type_for_alias(feature["dtype"])


def to_row(sample: Sample, class_ids: dict[str, int]) -> dict[str, Any]:
    """A sample as the plain dict of its columns; `class_ids` maps a name to its ClassLabel id (background is 0)."""
    quality = asdict(sample.quality)
    quality["presence"] = list(sample.quality.presence)
    return {
        "image": {"bytes": sample.image, "path": None},
        "label": {"bytes": sample.label, "path": None},
        "classes": [class_ids[name] for name in sample.classes],
        "prompt": sample.prompt,
        "quality": quality,
        "provenance": asdict(sample.provenance),
        **sample.extra,
    }

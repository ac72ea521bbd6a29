"""The label columns of a Hugging Face dataset, recognised by name and feature, and their class tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import DataError, explain
from dataset_dm.labels.vocabulary import PERSON, VOID
from dataset_dm.models.reference import split_revision
from dataset_dm.readers.labelled import BACKGROUNDS, without_background

IMAGE_COLUMNS = ("image", "img", "pixel_values", "picture")
LABEL_COLUMNS = ("label", "annotation", "mask", "segmentation", "labels", "segmentation_mask", "semantic")
CAPTION_COLUMNS = ("prompt", "caption", "text")
DEPTH_COLUMNS = ("depth_map", "depth")
CATEGORY_FIELDS = ("category", "category_id", "label", "labels")
CLASS_IDS = "semantic_class_to_id"

Stored = Mapping[int, str | None]  # id as it is stored → class name, None for background


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are read; None for a missing column.

    Args:
        label: class map. annotation: RGB, class in red and instance in green. objects: a list of objects a row, whose
            class is in the field `category`; None unless they have masks.
        keypoints: whether the objects have them; `whole` when these are whole numbers, that is pixel indices.
    """

    image: str
    label: str | None
    annotation: str | None
    objects: str | None
    category: str | None
    keypoints: bool
    whole: bool
    depth: str | None
    caption: str | None

    def kinds(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Names of the tasks that these columns have labels of."""
        instances = bool(self.objects or self.annotation)
        has = {
            "semantic": bool(self.label or instances),
            "instance": instances,
            "depth": self.depth is not None,
            "pose": self.keypoints and PERSON in classes,
        }
        return tuple(kind for kind, there in has.items() if there)


def find_columns(features: Mapping[str, Any], source: str) -> Columns:
    """The columns of a set; DataError without an image column or without any label column."""
    image = _first(features, IMAGE_COLUMNS)
    if image is None:
        raise _no_column(features, "an image column", IMAGE_COLUMNS, source)
    coloured = "annotation" if {"annotation", CLASS_IDS} <= set(features) else None
    images = [name for name in features if name != coloured and _is_image(features[name])]
    fields = _fields(features.get("objects"))
    masks = "segmentation" in fields
    columns = Columns(
        image=image,
        label=_first(images, LABEL_COLUMNS),
        annotation=coloured,
        objects="objects" if masks else None,
        category=_first(fields, CATEGORY_FIELDS),
        keypoints=masks and "keypoints" in fields,
        whole="int" in str(getattr(_inner(fields.get("keypoints")), "dtype", "")),
        depth=_first(images, DEPTH_COLUMNS),
        caption=_first(features, CAPTION_COLUMNS),
    )
    if masks and columns.category is None:
        raise DataError(f"data {source!r}: objects have no class; expected a field {' or '.join(CATEGORY_FIELDS[:2])}")
    if not (columns.label or columns.annotation or columns.objects or columns.depth):
        if fields:
            expected = "a field 'segmentation' (RLE or polygons), or a column with masks"
            raise DataError(explain(f"data {source!r}: objects", got=sorted(fields), expected=expected))
        raise _no_column(features, "a label column", LABEL_COLUMNS, source)
    return columns


def class_tables(
    columns: Columns,
    features: Mapping[str, Any],
    first_row: Mapping[str, Any],
    source: str,
    named: Sequence[str] | None,
) -> tuple[tuple[str, ...], dict[str, Stored]]:
    """(class names without background, kind of column → table of its stored ids).

    Args:
        named: the names that the user gave: some of the set's own names, else names for the ids 1, 2, ….

    Raises:
        DataError: neither the user nor the set names the classes.
    """
    tables = dict(_own_tables(columns, features, first_row, source))
    kinds = [kind for kind in ("label", "annotation", "objects") if getattr(columns, kind)]
    own = next((tables[kind] for kind in ("label", "objects", "annotation", "file") if kind in tables), None)
    if named:
        classes = without_background(named)
        if own is None or not set(classes) <= {name for name in own.values() if name}:
            by_position: Stored = {0: None, **{row + 1: name for row, name in enumerate(classes)}}
            tables = dict.fromkeys(kinds, by_position) | {"objects": dict(enumerate(classes))}
            return classes, tables
    elif own is not None:
        classes = tuple(name for name in own.values() if name)
    elif kinds:
        remedy = "name the classes with --classes, in the order of their ids"
        raise DataError(f"data {source!r}: neither a ClassLabel column nor id2label.json names its classes; {remedy}")
    else:
        classes = ()
    whole: Stored = tables.get("file") or {0: None, **{row + 1: name for row, name in enumerate(classes)}}
    for kind in kinds:
        tables.setdefault(kind, dict(enumerate(classes)) if kind == "objects" else whole)
    return classes, tables


def _own_tables(
    columns: Columns, features: Mapping[str, Any], first_row: Mapping[str, Any], source: str
) -> Iterator[tuple[str, Stored]]:
    """(kind of column, its table) of every table in the set; the kind "file" is id2label.json."""
    names = getattr(_inner(features.get("classes")), "names", None)
    if names and columns.label:
        yield "label", _stored(dict(enumerate(names)))
    names = getattr(_inner(_fields(features.get("objects")).get(columns.category)), "names", None)
    if names and columns.objects:
        yield "objects", _stored(dict(enumerate(names)))
    if columns.annotation:
        ids = {int(key): name for name, key in first_row[CLASS_IDS].items() if key is not None}
        yield "annotation", _stored(dict(sorted(ids.items())))
    if columns.label and not getattr(_inner(features.get("classes")), "names", None):
        table = _id2label(source)
        if table is not None:
            ids = sorted(table)
            if ids != list(range(len(ids))):
                raise DataError(f"data {source!r}: id2label.json has ids {ids[:8]}…, expected 0, 1, 2, … without gaps")
            yield "file", _stored({key: table[key] for key in ids})


def _stored(names: Mapping[int, str]) -> Stored:
    """The table of names by id; a first entry with a name of the background becomes None."""
    first = next(iter(names), None)
    return {key: None if key == first and name.lower() in BACKGROUNDS else name for key, name in names.items()}


def _first(names: Any, wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _no_column(features: Mapping[str, Any], what: str, wanted: Sequence[str], source: str) -> DataError:
    expected = f"{what} ({', '.join(wanted[:4])})"
    got, remedy = list(features), "rename the column"
    return DataError(explain(f"data {source!r}: columns", got=got, expected=expected, remedy=remedy))


def _is_image(feature: Any) -> bool:
    import datasets

    return isinstance(feature, datasets.Image) or (isinstance(feature, dict) and "bytes" in feature)


def _inner(feature: Any) -> Any:
    """The innermost feature of nested lists."""
    while hasattr(feature, "feature") or (isinstance(feature, list) and feature):
        feature = feature[0] if isinstance(feature, list) else feature.feature
    return feature


def _fields(feature: Any) -> Mapping[str, Any]:
    """Fields of a list of structs or of a struct of lists; {} for other features."""
    inner = _inner(feature)
    return inner if isinstance(inner, dict) else {}


def _id2label(source: str) -> dict[int, str] | None:
    file = Path(source) / "id2label.json"
    if not Path(source).exists():
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError

        name, revision = split_revision(source)
        try:
            file = Path(hf_hub_download(name, "id2label.json", repo_type="dataset", revision=revision))
        except (HfHubHTTPError, OSError):
            return None
    if not file.is_file():
        return None
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return {int(key): str(value) for key, value in table.items() if int(key) != VOID}
    except (ValueError, AttributeError) as error:
        raise DataError(f"data {source!r}: id2label.json cannot be read ({error})") from error

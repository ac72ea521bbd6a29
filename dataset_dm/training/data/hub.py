"""Any Hugging Face dataset with an image and a class-map column: a Hub id, or a local folder that `datasets` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.sources import split_revision
from dataset_dm.training.data.labelled import (
    BACKGROUNDS,
    VOID,
    LabelledImage,
    check,
    read_image,
    read_mask,
    without_background,
)

IMAGE_COLUMNS = ("image", "img", "pixel_values", "picture")
LABEL_COLUMNS = ("label", "annotation", "mask", "segmentation", "labels", "segmentation_mask", "semantic")
CAPTION_COLUMNS = ("prompt", "caption", "text")


class HubSet:
    """Images and class maps of one split.

    Args:
        source: Hub id (``id@revision``) or local folder.
        split: default "train", else the first.
        classes: names without background; default those of a ClassLabel column or of ``id2label.json``.

    Raises:
        DataError: it cannot be loaded, has no such columns, or its class names are not to be found.
    """

    def __init__(self, source: str, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        self._rows, self.split = _load(source, split)
        self.source = f"{source} {self.split}"
        columns = self._rows.column_names
        self._image = _column(columns, IMAGE_COLUMNS, "an image column", source)
        self._label = _column(columns, LABEL_COLUMNS, "a label column", source)
        self._caption = next((name for name in CAPTION_COLUMNS if name in columns), None)
        names = list(classes) if classes else _own_classes(source, self._rows.features)
        # without a background entry id 0 is a class like any other: everything moves up by one
        self._shift = 0 if classes or (names and names[0].lower() in BACKGROUNDS) else 1
        self.classes = without_background(names)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> LabelledImage:
        name = f"{self.source}[{index}]"
        try:
            row = self._rows[index]
        except (OSError, ValueError, SyntaxError) as error:
            reason = " ".join(str(error).split())[:120]
            raise DataError(f"{name}: cannot be read ({reason}); it is truncated or damaged") from error
        for column in (self._image, self._label):
            if row[column] is None:
                raise DataError(f"{name}: column {column!r} is empty; every image needs its mask")
        image, label = read_image(_content(row[self._image]), name), self._mask(row[self._label], name)
        check(image, label, self.classes, name)
        return LabelledImage(name, image, label, row[self._caption] if self._caption else None)

    def _mask(self, value: Any, name: str) -> np.ndarray:
        label = read_mask(_content(value), name)
        if not self._shift:
            return label
        if ((label >= VOID - 1) & (label != VOID)).any():
            raise DataError(f"{name}: mask has class 254, an 8-bit label holds at most 254 classes without background")
        return np.where(label == VOID, VOID, label + self._shift).astype(np.uint8)


def _load(source: str, split: str | None) -> tuple[Any, str]:
    """The rows and the split's name; images stay bytes until a row is asked for."""
    import datasets

    name, revision = split_revision(source)
    try:
        whole = datasets.load_dataset(name, revision=revision)
    except (datasets.exceptions.DatasetsError, FileNotFoundError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"data {source!r}: datasets cannot load it ({reason})") from error
    chosen = split or ("train" if "train" in whole else next(iter(whole)))
    if chosen not in whole:
        raise DataError(explain(f"data {source!r}: split", got=split, expected=f"one of {', '.join(whole)}"))
    rows = whole[chosen]
    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            rows = rows.cast_column(column, datasets.Image(decode=False))
    return rows, chosen


def _column(columns: Sequence[str], wanted: Sequence[str], what: str, source: str) -> str:
    for name in wanted:
        if name in columns:
            return name
    expected = f"{what} ({', '.join(wanted[:4])})"
    raise DataError(
        explain(f"data {source!r}: columns", got=list(columns), expected=expected, remedy="rename the column")
    )


def _content(value: Any) -> Any:
    """What the readers take: bytes or a path of an undecoded image column."""
    if isinstance(value, dict):
        return value["bytes"] if value.get("bytes") is not None else Path(value["path"])
    return value


def _own_classes(source: str, features: Any) -> list[str]:
    """Class names of a `classes` column of ClassLabels, else of the repository's id2label.json."""
    column = features.get("classes")
    names = getattr(getattr(column, "feature", column), "names", None)
    if names:
        return list(names)
    table = _id2label(source)
    if table is None:
        remedy = "name the classes with --classes, in the order of their ids"
        raise DataError(f"data {source!r}: neither a ClassLabel column nor id2label.json names its classes; {remedy}")
    ids = sorted(table)
    if ids != list(range(len(ids))):
        raise DataError(f"data {source!r}: id2label.json has ids {ids[:8]}…, expected 0, 1, 2, … without gaps")
    return [table[i] for i in ids]


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

"""Hugging Face datasets with known label columns: a Hub id, or a local folder that `datasets` reads.

Columns: a class map, `objects` with masks and keypoints, `annotation` with `semantic_class_to_id`, `depth_map`; this
package generates them, and the example scripts of transformers read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain, reason_of
from dataset_dm.labels.file_instance import FileInstance, paint
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.labels.vocabulary import MOST_IDS, PERSON, VOID
from dataset_dm.models.reference import split_revision
from dataset_dm.readers.annotations import instance_of, stated_size
from dataset_dm.readers.depth import NYU
from dataset_dm.readers.depth_file import read_depth
from dataset_dm.readers.hub_columns import Stored, class_tables, find_columns
from dataset_dm.readers.images import read_channels, read_image, read_mask
from dataset_dm.readers.labelled import LabelledImage, SampleError, check_size
from dataset_dm.readers.voc import instances_of

Row = Mapping[str, Any]
Labels = tuple[np.ndarray | None, Instances | None]


class NotLoadable(DataError):
    """`datasets` cannot load what is there."""


class HubSet:
    """Images and labels of one split.

    Args:
        source: Hub id (``id@revision``) or local folder.
        split: default "train", else the first.
        classes: names without background: some of the set's own, the others are background; or names of the ids 1, 2, …
            of a set that has none. Default those of a ClassLabel column or of ``id2label.json``.
        depth_scale: metres of one unit of the depth column; default 1/1000 for whole numbers, 1 for others.

    Raises:
        DataError: it cannot be loaded, has no such columns, or it has no class names.
    """

    def __init__(
        self,
        source: str,
        *,
        split: str | None = None,
        classes: Sequence[str] | None = None,
        depth_scale: float | None = None,
    ) -> None:
        self._rows, self.split = _load(source, split)
        self.source = f"{source} {self.split}" + (f" depth ×{depth_scale}" if depth_scale else "")
        self._scale = depth_scale
        features = self._rows.features
        self._columns = find_columns(features, source)
        first = self._rows.select_columns(_cheap(features))[0] if len(self._rows) else {}
        self.classes, self._tables = class_tables(self._columns, features, first, source, classes)
        self.kinds = self._columns.kinds(self.classes)
        self.skipped: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> LabelledImage:
        name = f"{self.source}[{index}]"
        try:
            row = self._rows[index]
        except (OSError, ValueError, SyntaxError) as error:
            message = f"{name}: cannot be read ({reason_of(error)}); it is truncated or damaged"
            raise SampleError("damaged file", message) from error
        columns = self._columns
        label = self._label(row, name)
        # a class map and objects have all that the coloured annotation has
        coloured = None if columns.label and columns.objects else columns.annotation
        colours = read_channels(_content(row, coloured, name), name) if coloured else None
        drawn = label if label is not None else colours
        size, what = (stated_size(row), None) if drawn is None else (drawn.shape[:2], "mask")
        image = read_image(_content(row, columns.image, name), name, size, what)
        label, instances = self._labels(row, image.shape[:2], label, colours, name)
        depth = None
        if columns.depth:
            depth = read_depth(_content(row, columns.depth, name), name, self._scale, NYU.unit)
            check_size(image, depth.shape, "depth", name)
        return LabelledImage(name, image, label, row[columns.caption] if columns.caption else None, instances, depth)

    def _label(self, row: Row, name: str) -> np.ndarray | None:
        if self._columns.label is None:
            return None
        stored = read_mask(_content(row, self._columns.label, name), name)
        return self._ids(stored, self._tables["label"], name)

    def _labels(
        self, row: Row, size: tuple[int, int], label: np.ndarray | None, colours: np.ndarray | None, name: str
    ) -> Labels:
        """(class map, instances); a set without a class map has that of its objects."""
        if self._columns.objects:
            poses = "pose" in self.kinds
            rows = as_rows(row[self._columns.objects])
            found = [self._instance(fields, size, poses, f"{name}, object {i}") for i, fields in enumerate(rows)]
            owner, instances = paint([instance for instance in found if instance is not None], size, poses)
            if label is None and colours is None:
                label = np.where(owner < 0, VOID, owner).astype(np.uint8) if len(self.classes) <= MOST_IDS else None
            elif label is None:
                label = self._ids(colours[..., 0], self._tables["annotation"], name)
        elif colours is not None:
            red = self._ids(colours[..., 0], self._tables["annotation"], name)
            numbers = np.where((red > 0) & (red < VOID), colours[..., 1], 0)
            instances = instances_of(numbers.astype(np.uint8), red, name)
            label = red if label is None else label
        else:
            return label, None
        if label is not None:  # void pixels belong to no instance for certain
            instances = replace(instances, map=np.where(label == VOID, IGNORED, instances.map))
        return label, instances

    def _instance(self, row: Row, size: tuple[int, int], poses: bool, name: str) -> FileInstance | None:
        """One object; None when its class was not chosen."""
        value, table = row[self._columns.category], self._tables["objects"]
        category = value if isinstance(value, str) else table.get(value, False)
        if category is False or (isinstance(value, str) and value not in table.values()):
            message = explain(f"{name}: category", got=value, expected=f"one of the {len(table)} classes of the set")
            raise SampleError("unknown class", message)
        if category not in self.classes:
            return None
        points = row.get("keypoints") if poses and category == PERSON else None
        shift = 0.5 if self._columns.whole else 0.0
        return instance_of(row, self.classes.index(category), size, name, keypoints=points, shift=shift)

    def _ids(self, stored: np.ndarray, table: Stored, name: str) -> np.ndarray:
        """The label of stored ids, uint8 [H W]; classes that were not chosen are background, 255 stays void."""
        chosen = {name: row + 1 for row, name in enumerate(self.classes)}
        known = {0: 0, **{key: chosen.get(class_name, 0) for key, class_name in table.items()}}
        ids = np.full(256, -1)
        ids[VOID] = VOID
        for key, number in known.items():
            if 0 <= key < VOID:
                ids[key] = number
        found = ids[stored]
        wrong = stored[(found < 0) | ((found > MOST_IDS) & (stored != VOID))]
        if wrong.size:
            reason = f"the task has 0..{max(table)} and {VOID} for void; fix the class list or the mask"
            if ids[wrong[0]] > MOST_IDS:
                reason = f"an 8-bit label holds at most {MOST_IDS} classes without background"
            raise SampleError("unknown class", f"{name}: mask has class {int(wrong[0])}, {reason}")
        return found.astype(np.uint8)


def as_rows(objects: Any) -> list[dict[str, Any]]:
    """The objects of a row, stored as a list of dicts or as a dict of lists (which may nest); [] for None.

    >>> as_rows({"id": [1, 2], "box": {"x": [3, 4]}})
    [{'id': 1, 'box': {'x': 3}}, {'id': 2, 'box': {'x': 4}}]
    """
    if not isinstance(objects, Mapping):
        return list(objects or ())
    columns = {key: as_rows(value) if isinstance(value, Mapping) else value for key, value in objects.items()}
    lists = {key: value for key, value in columns.items() if value is not None}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _load(source: str, split: str | None) -> tuple[Any, str]:
    """(rows, name of the split); images are not decoded."""
    import datasets

    name, revision = split_revision(source)
    try:
        whole = datasets.load_dataset(name, revision=revision)
    except (datasets.exceptions.DatasetsError, FileNotFoundError, ValueError, OSError) as error:
        raise NotLoadable(f"data {source!r}: datasets cannot load it ({reason_of(error)})") from error
    chosen = split or ("train" if "train" in whole else next(iter(whole)))
    if chosen not in whole:
        raise DataError(explain(f"data {source!r}: split", got=split, expected=f"one of {', '.join(whole)}"))
    rows = whole[chosen]
    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            rows = rows.cast_column(column, datasets.Image(decode=False))
    return rows, chosen


def _cheap(features: Mapping[str, Any]) -> list[str]:
    return [name for name in features if name == "semantic_class_to_id"] or list(features)[:1]


def _content(row: Row, column: str, name: str) -> Any:
    """The bytes or the path of an undecoded image column."""
    value = row[column]
    if value is None:
        raise SampleError("missing file", f"{name}: column {column!r} is empty; every image needs its mask")
    if isinstance(value, dict):
        return value["bytes"] if value.get("bytes") is not None else Path(value["path"])
    return value

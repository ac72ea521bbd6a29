"""COCO and LVIS annotations: instances with polygons or RLE, crowds, keypoints, captions.

The class map is derived from the instances. LVIS has no crowds, and lists for each image the classes of which
every object is marked; where the list lacks a chosen class, unmarked pixels are void instead of background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.labels.file_instance import FileInstance, paint
from dataset_dm.labels.vocabulary import MOST_IDS, PERSON, VOID
from dataset_dm.readers.annotations import instance_of, stated_size
from dataset_dm.readers.coco_files import CocoFiles, find_files, read_json
from dataset_dm.readers.folder_set import Entry, FolderSet
from dataset_dm.readers.images import read_image
from dataset_dm.readers.labelled import LabelledImage, SampleError, choose_classes

Row = dict[str, Any]


class CocoSet(FolderSet):
    """One split of a COCO or LVIS set.

    Args:
        path: a folder with ``annotations/*.json``, or one JSON file.
        split: as in the file's name; "train" finds train2017. Default the training one.
        classes: names to read, in the order of their ids; objects of other classes are background. Default all that the
            file declares, by their ids.

    Raises:
        DataError: no such file, a damaged one, an unknown class, or not one annotation.
    """

    def __init__(self, path: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        files = find_files(Path(path), split)
        content = read_json(files.instances, ("images", "annotations", "categories"))
        self._names = _category_names(content["categories"], files.instances)
        some = ", ".join(list(self._names.values())[:8])
        expected = f"a category of the file ({some} …)"
        chosen = choose_classes(tuple(self._names.values()), classes, files.instances, expected)
        self._ids = {name: row + 1 for row, name in enumerate(chosen)}
        self._images: dict[str, Row] = {}
        self._annotations = _by_image(content["annotations"])
        if not self._annotations:
            raise DataError(f"{files.instances}: not one annotation of split {files.split!r}; is it a test split?")
        self._points = _merged_keypoints(files, self._annotations)
        self._poses = PERSON in chosen and self._has_keypoints()
        self._captions = _captions(files.captions)
        entries = [self._entry(row, files) for row in content["images"]]
        kinds = [*(["semantic"] if len(chosen) <= MOST_IDS else []), "instance", *(["pose"] if self._poses else [])]
        super().__init__(entries, chosen, kinds, path, files.split)

    def _entry(self, row: Row, files: CocoFiles) -> Entry:
        names = [str(row[key]) for key in ("file_name", "coco_url") if row.get(key)]
        if not names or "id" not in row:
            raise DataError(f"{files.instances}: an image without file_name or id ({row!s:.80})")
        name = names[0] if "://" not in names[0] else "/".join(names[0].split("/")[-2:])
        if name in self._images:
            raise DataError(f"{files.instances}: image {name!r} is listed twice; leave one out")
        self._images[name] = row
        return Entry(name, {"image": _locate(names, files.folders)})

    def read(self, entry: Entry) -> LabelledImage:
        row, name = self._images[entry.name], f"image {entry.name!r}"
        image = read_image(entry.files["image"], name, stated_size(row), "annotation")
        size = image.shape[:2]
        found = (self._instance(annotation, size, name) for annotation in self._annotations.get(row["id"], []))
        owner, instances = paint([instance for instance in found if instance is not None], size, self._poses)
        label = None
        if "semantic" in self.kinds:
            unmarked = 0 if self._complete(row) else VOID
            label = np.where(owner < 0, VOID, np.where(owner == 0, unmarked, owner)).astype(np.uint8)
        return LabelledImage(entry.name, image, label, self._captions.get(row["id"]), instances)

    def _instance(self, row: Row, size: tuple[int, int], name: str) -> FileInstance | None:
        """The instance of one annotation; None when its class was not chosen."""
        name = f"{name}, annotation {row.get('id')}"
        category = self._names.get(row.get("category_id"))
        if category is None:
            got = row.get("category_id")
            message = explain(f"{name}: category", got=got, expected="an id that the file's categories declare")
            raise SampleError("unknown class", message)
        if category not in self._ids:
            return None
        points = self._keypoints(row) if self._poses and category == PERSON else None
        # keypoints are pixel indices there, whose centres lie half a pixel further
        return instance_of(row, self._ids[category] - 1, size, name, keypoints=points, shift=0.5)

    def _keypoints(self, row: Row) -> Any:
        return row.get("keypoints") or self._points.get(row.get("id"))

    def _has_keypoints(self) -> bool:
        people = {key for key, name in self._names.items() if name == PERSON}
        rows = (row for group in self._annotations.values() for row in group)
        return any(row.get("category_id") in people and self._keypoints(row) for row in rows)

    def _complete(self, row: Row) -> bool:
        """Whether every object of the chosen classes is marked in this image; False in LVIS alone."""
        if "neg_category_ids" not in row:
            return True
        partial = set(row.get("not_exhaustive_category_ids", ()))
        marked = {annotation.get("category_id") for annotation in self._annotations.get(row["id"], [])}
        known = {self._names.get(key) for key in {*row["neg_category_ids"], *marked} - partial}
        return known.issuperset(self._ids)


def _category_names(rows: Sequence[Row], file: Path) -> dict[int, str]:
    """id → name, by ascending id."""
    try:
        names = {int(row["id"]): str(row["name"]).strip() for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file}: a category without id or name; mend the list 'categories'") from error
    if not names or len(names) != len(rows) or len(set(names.values())) != len(rows):
        raise DataError(f"{file}: {len(rows)} categories with {len(names)} ids; expected each id and name once")
    return dict(sorted(names.items()))


def _by_image(rows: Sequence[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.get("image_id"), []).append(row)
    return groups


def _merged_keypoints(files: CocoFiles, annotations: Mapping[int, list[Row]]) -> dict[int, Any]:
    """annotation id → keypoints of person_keypoints_<split>.json; empty without that file."""
    if files.keypoints is None or files.keypoints == files.instances:
        return {}
    known = {row.get("id") for group in annotations.values() for row in group}
    rows = read_json(files.keypoints, ("annotations",))["annotations"]
    return {row["id"]: row["keypoints"] for row in rows if row.get("id") in known and "keypoints" in row}


def _captions(file: Path | None) -> dict[int, str]:
    """image id → its first caption."""
    captions: dict[int, str] = {}
    for row in read_json(file, ("annotations",))["annotations"] if file else ():
        captions.setdefault(row.get("image_id"), " ".join(str(row.get("caption", "")).split()))
    return {key: text for key, text in captions.items() if text}


def _locate(names: Sequence[str], folders: Sequence[Path]) -> Path:
    """The file of an image, or the first expected path when it is missing. LVIS names its images by URL alone."""
    wanted = [part for name in names for part in ("/".join(name.split("/")[-2:]), name.split("/")[-1])]
    places = [folder / name for name in (names[0], *wanted) if "://" not in name for folder in folders]
    return next((place for place in places if place.is_file()), places[0])

"""The files of a COCO-like set: the JSON files of a split, and the folders of its images."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import DataError, did_you_mean, explain, reason_of

_PREFIX = re.compile(r"^(instances|person_keypoints|captions|image_info|stuff|panoptic|lvis(?:_v[\d.]+)?)_(.+)$")
_IDS = ("id", "image_id", "category_id")
_ROBOFLOW = "_annotations.coco.json"


@dataclass(frozen=True)
class CocoFiles:
    """The JSON files of one split, and the folders in which its images may lie, the likeliest first."""

    split: str
    instances: Path
    keypoints: Path | None
    captions: Path | None
    folders: tuple[Path, ...]


def looks_like_coco(path: Path) -> bool:
    """Whether a path is a JSON file or a folder with annotation files of this layout."""
    return path.suffix.lower() == ".json" or bool(_tables(path))


def find_files(path: Path, split: str | None) -> CocoFiles:
    """The files of a split of a folder, or those that belong to one JSON file.

    Raises:
        DataError: no annotation file, none of that split, or several that could be meant.
    """
    if path.suffix.lower() == ".json":
        if not path.is_file():
            expected = "a JSON file of annotations"
            raise DataError(explain(f"data {str(path)!r}", expected=expected, remedy="check the path"))
        kind, chosen = _kind_and_split(path)
        if split is not None and split != chosen:
            raise DataError(explain(f"{path}: split", got=split, expected=f"{chosen!r}, of which this file is"))
        table = _tables(path.parent.parent).get(chosen, {}) | {kind: path}
        return _files(chosen, table, path, path.parent.parent)
    tables = _tables(path)
    if not tables:
        raise DataError(f"{path}: no annotation file; expected annotations/instances_<split>.json")
    chosen = _choose(path, tables, split)
    table = tables[chosen]
    instances = next((table[kind] for kind in ("instances", "lvis", "person_keypoints") if kind in table), None)
    if instances is None:
        expected = f"annotations/instances_{chosen}.json"
        only = ", ".join(sorted(table))
        raise DataError(f"{path}: no annotation of split {chosen!r}, only {only}; expected {expected}")
    return _files(chosen, table, instances, path)


def _files(split: str, table: Mapping[str, Path], instances: Path, root: Path) -> CocoFiles:
    beside = instances.parent
    folders = (root / split, root / "images" / split, root / "images", beside / split, beside / "images", beside, root)
    kept = dict.fromkeys(folder for folder in folders if folder.is_dir())
    return CocoFiles(split, instances, table.get("person_keypoints"), table.get("captions"), tuple(kept))


def _tables(root: Path) -> dict[str, dict[str, Path]]:
    """split → kind of annotation → file."""
    tables: dict[str, dict[str, Path]] = {}
    for file in sorted([*(root / "annotations").glob("*.json"), *root.glob(f"*/{_ROBOFLOW}")]):
        kind, split = _kind_and_split(file)
        tables.setdefault(split, {})[kind] = file
    return tables


def _kind_and_split(file: Path) -> tuple[str, str]:
    if file.name == _ROBOFLOW:
        return "instances", file.parent.name
    found = _PREFIX.match(file.stem)
    if found is None:
        return "instances", file.stem
    return ("lvis" if found[1].startswith("lvis") else found[1]), found[2]


def _choose(root: Path, tables: Mapping[str, Any], split: str | None) -> str:
    """The name of a split in `tables`: "train" also means train2017 where that is the only match."""
    if split in tables:
        return str(split)
    year = re.compile(rf"{re.escape(split or 'train')}[-_]?\d*")
    close = [name for name in tables if year.fullmatch(name)]
    if split is None and not close and len(tables) == 1:
        close = list(tables)
    if len(close) == 1:
        return close[0]
    known = ", ".join(tables)
    if close:
        raise DataError(f"{root}: several splits could be meant ({', '.join(close)}); choose one with split=")
    reason = f"no annotation of split {split!r}" if split else "several splits, none called train"
    raise DataError(f"{root}: {reason}; there are: {known}{did_you_mean(str(split), tables)}")


def read_json(file: Path, lists: tuple[str, ...]) -> dict[str, Any]:
    """The content of an annotation file that has these lists; DataError with one line when it is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"{file}: cannot be read as JSON ({reason_of(error)}); it is truncated or damaged, replace it"
        raise DataError(message) from error
    for key in lists:
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{file}: has no list {key!r}; expected COCO's {', '.join(lists)}")
        for row in rows:
            wrong = next((name for name in _IDS if isinstance(row.get(name), (list, dict))), None)
            if wrong is not None:
                place = f"{file}: {key}: {wrong}"
                raise DataError(explain(place, got=row[wrong], expected="a number", remedy="mend the file"))
    return content

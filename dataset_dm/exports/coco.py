"""COCO's JSON: `annotations/instances_<split>.json`, images in `images/<split>/`; pycocotools loads it.

Masks are compressed run lengths, so holes and several parts stay. Keypoints are pixel indices as in COCO: a point at
the centre of the upper left pixel is 0, 0. `score` and `keypoint_scores` are extra keys that COCO's tools ignore. The
ids of categories are COCO's own when all classes are among its 80, else they count from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import (
    Format,
    Reviewed,
    by_name,
    category_of,
    inside,
    same_size,
    save_image,
    save_json,
    score_of,
    stem,
)
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import CLASS_MAPS, DEPTH, VOID_PIXELS
from dataset_dm.labels import rle
from dataset_dm.labels.coco import COCO_IDS, KEYPOINTS, LIMBS
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import PERSON
from dataset_dm.readers.annotations import keypoints_of, mask_of
from dataset_dm.readers.coco_files import read_json

Row = dict[str, Any]
_HALF = 0.5  # from the centre of a pixel to its index


class Coco(Format):
    """Replaced by the list of what it does not support."""

    name = "coco"
    title = "COCO JSON"
    unsupported = (CLASS_MAPS, VOID_PIXELS, DEPTH)

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        ids = category_ids(classes)
        images: list[Row] = []
        annotations: list[Row] = []
        taken: set[int] = set()
        for sample in samples:
            save_image(folder / "images" / split, sample)
            height, width = sample.size
            images.append({"id": sample.index, "file_name": sample.file, "width": width, "height": height})
            for _, instance in self.supported(sample, classes):
                number = instance.number
                if number is None or number < 1 or number in taken:  # COCOeval takes 0 for no match
                    number = max(taken, default=0) + 1
                taken.add(number)
                annotations.append({"id": number, "image_id": sample.index, **_row(instance, ids[instance.category])})
        posed = any("keypoints" in one for one in annotations)
        content = {
            "info": {"description": f"split {split}"},
            "images": images,
            "annotations": annotations,
            "categories": [_category(name, ids[i], posed) for i, name in enumerate(classes)],
        }
        (folder / "annotations").mkdir(exist_ok=True)
        save_json(folder / "annotations" / f"instances_{split}.json", content)

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        rows = [_row(instance, instance.category) for _, instance in self.supported(sample, classes)]
        return Labels(instances=tuple(_instance(row, row["category_id"], sample.size, sample.name) for row in rows))

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        contents = [(file, read_json(file, ("images", "annotations", "categories"))) for file in _files(path)]
        images = by_name(
            ((_stem(row, file), file.name, row) for file, content in contents for row in content["images"]), path
        )
        annotations: dict[str, list[tuple[int, Row]]] = {name: [] for name in images}
        for file, content in contents:
            for name, category, row in _annotations(content, file, classes):
                annotations[name].append((category, row))
        return Reviewed({name: (row, annotations[name]) for name, row in images.items()}, _labels)


def _annotations(content: Mapping[str, Any], file: Path, classes: Sequence[str]) -> Iterable[tuple[str, int, Row]]:
    """(name of the image, category, annotation) of every annotation of a file."""
    categories = {row.get("id"): category_of(row.get("name"), classes, str(file)) for row in content["categories"]}
    names = {row.get("id"): _stem(row, file) for row in content["images"]}
    for row in content["annotations"]:
        place = f"{file.name}, annotation {row.get('id')}"
        if row.get("image_id") not in names:
            raise DataError(explain(f"{place}: image_id", got=row.get("image_id"), expected="an id of its images"))
        if row.get("category_id") not in categories:
            expected = "an id that the file's categories declare"
            raise DataError(explain(f"{place}: class", got=row.get("category_id"), expected=expected))
        yield names[row["image_id"]], categories[row["category_id"]], row


def _labels(entry: tuple[Row, Sequence[tuple[int, Row]]], size: Size, place: str) -> Labels:
    image, annotations = entry
    sides = image.get("height"), image.get("width")
    if all(isinstance(side, int) for side in sides):
        same_size(sides, size, f"{place} of the file")
    instances = (
        _instance(row, category, size, f"{place}, annotation {row.get('id')}") for category, row in annotations
    )
    return Labels(instances=tuple(instances))


def category_ids(classes: Sequence[str]) -> list[int]:
    """The id of every class in COCO's files."""
    known = all(name in COCO_IDS for name in classes)
    return [COCO_IDS[name] if known else i + 1 for i, name in enumerate(classes)]


def _category(name: str, number: int, posed: bool) -> Row:
    row: Row = {"id": number, "name": name, "supercategory": name}
    if posed and name == PERSON:
        row |= {"keypoints": list(KEYPOINTS), "skeleton": [[a + 1, b + 1] for a, b in LIMBS]}
    return row


def _row(instance: FileInstance, category: int) -> Row:
    row: Row = {
        "category_id": category,
        "bbox": list(instance.bounds),
        "area": int(instance.mask.sum()) if instance.mask is not None else instance.bounds[2] * instance.bounds[3],
        "iscrowd": int(bool(instance.crowd)),
        "segmentation": [] if instance.mask is None else rle.encode(instance.mask),
    }
    if instance.score is not None:
        row["score"] = instance.score
    if instance.keypoints is not None:
        shown = instance.keypoints[:, 2:] > 0
        points = np.where(shown, instance.keypoints - (_HALF, _HALF, 0), 0)
        row |= {"keypoints": points.ravel().tolist(), "num_keypoints": int(shown.sum())}
    if instance.keypoint_scores is not None:
        row["keypoint_scores"] = instance.keypoint_scores.tolist()
    return row


def _instance(row: Row, category: int, size: Size, place: str) -> FileInstance:
    if row.get("bbox") is None:
        raise DataError(explain(f"{place}: no bbox", expected="x, y, w, h", remedy="complete the annotation"))
    form, points, scores = row.get("segmentation"), row.get("keypoints"), row.get("keypoint_scores")
    mask = mask_of(form, size, place) if form else None
    return FileInstance(
        category=category,
        box=inside(row["bbox"], size, place),
        mask=mask if mask is not None and mask.any() else None,
        score=score_of(row.get("score"), place),
        crowd=bool(row["iscrowd"]) if "iscrowd" in row else None,
        keypoints=None if not points else keypoints_of(points, size, place, _HALF).astype(np.float64),
        keypoint_scores=None if not scores else np.array([score_of(score, place) for score in scores], np.float64),
    )


def _stem(row: Row, file: Path) -> str:
    return stem(row.get("file_name"), f"{file}: image {row.get('id')} without file_name")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(path.glob("annotations/[!.]*.json")) or sorted(path.glob("[!.]*.json"))
    if not files:
        raise DataError(explain(f"{path}: no annotation file", expected="annotations/instances_<split>.json"))
    return files

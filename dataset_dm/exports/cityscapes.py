"""Cityscapes: `leftImg8bit`, `gtFine` with labelIds and instanceIds, one city per split; `classes.json` lists the ids.

Classes of Cityscapes keep their ids, others count from 34. Void is its id 0 (unlabeled), background its id 4 (static:
pixels of no other class). An object is 1000 × id + its number in the image. Polygons and colours are not written: the
two maps are exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Integer
from PIL import Image

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import (
    FOLDERS,
    Format,
    Reviewed,
    category_of,
    find_files,
    read_json,
    same_size,
    save_image,
    save_json,
    save_maps,
)
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import CROWDS, DEPTH, KEYPOINTS, LOOSE_BOXES, NO_MASK, SCORES, SHARED_PIXELS
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import FileInstance, Size, class_map, largest_first
from dataset_dm.labels.vocabulary import BACKGROUND, VOID
from dataset_dm.readers.cityscapes import CLASSES
from dataset_dm.readers.images import read_ids

_IMAGES, _LABELS, _IDS = "leftImg8bit", "gtFine", "classes.json"
_LABEL_IDS, _INSTANCE_IDS = f"_{_LABELS}_labelIds.png", f"_{_LABELS}_instanceIds.png"
_VOID_NAME, _VOID_ID, _BACKGROUND_ID = "void", 0, 4
_FIRST_OWN = 34
_THOUSAND = 1000
_LAST_WITH_OBJECTS = 64  # 1000 x 64 + 999 still fits into 16 bits


# of the size in the files, which may be wrong
_Maps = tuple[Integer[np.ndarray, "_ _"], Integer[np.ndarray, "_ _"] | None]


class Cityscapes(Format):
    """Replaced by the list of what it does not support."""

    name = "cityscapes"
    title = "Cityscapes"
    needs = ("objects", "label")
    unsupported = (NO_MASK, LOOSE_BOXES, SHARED_PIXELS, KEYPOINTS, SCORES, CROWDS, DEPTH)
    notes = ("classes that Cityscapes does not have take ids from 34, which its own tools leave out; see classes.json",)

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:
        last = max(label_ids(classes).values())
        most = _LAST_WITH_OBJECTS if "objects" in columns else VOID - 1
        if last > most:
            what = f"{self.name}: classes that Cityscapes does not have"
            got, expected = last - _FIRST_OWN + 1, f"at most {most - _FIRST_OWN + 1}"
            raise DataError(explain(what, got=got, expected=expected, remedy="take another format, such as coco"))

    def supports(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        return instance.mask is not None

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        images, labels = (folder / kind / FOLDERS.get(split, split) / split for kind in (_IMAGES, _LABELS))
        for sample in samples:
            save_image(images, sample, f"{sample.name}_{_IMAGES}{sample.suffix}")
            label, numbers = self._maps(sample, classes)
            save_maps(
                {
                    labels / f"{sample.name}{_LABEL_IDS}": Image.fromarray(label),
                    labels / f"{sample.name}{_INSTANCE_IDS}": None if numbers is None else Image.fromarray(numbers),
                }
            )

    def finish(self, folder: Path, parts: Mapping[str, None], classes: Sequence[str]) -> None:
        save_json(folder / _IDS, label_ids(classes), indent=1)

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        return _labels(self._maps(sample, classes), label_ids(classes), classes, sample.size, sample.name)

    def round_trip(self, sample: Sample, classes: Sequence[str]) -> Labels:
        # an instance that others cover entirely is not in the maps; `number` is the position among those written
        found = self.reread(sample, classes)
        places = [place for place, _ in self.supported(sample, classes)]
        instances = tuple(replace(instance, number=places[instance.number]) for instance in found.instances or ())
        return replace(found, instances=instances)

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        ids = _read_ids(path / _IDS, classes)
        expected = f"{_LABELS}/<split>/<city>/<image>{_LABEL_IDS}"
        files = find_files(path, f"{_LABELS}/*/*/*{_LABEL_IDS}", expected, _LABEL_IDS)
        return Reviewed(files, partial(_read, ids=ids, classes=classes))

    def _maps(self, sample: Sample, classes: Sequence[str]) -> _Maps:
        """labelIds uint8 and, of a set with objects, instanceIds uint16."""
        instances = [instance for _, instance in self.supported(sample, classes)]
        if len(instances) > _THOUSAND:
            raise DataError(explain(f"{sample.name}: objects", got=len(instances), expected=f"at most {_THOUSAND}"))
        label = sample.labels.label
        if label is None:
            label = class_map(instances, sample.size)
        ids = label_ids(classes)
        table = np.full(VOID + 1, _VOID_ID, np.uint8)
        table[: len(classes) + 1] = [ids[name] for name in (BACKGROUND, *classes)]
        label = table[label]
        if sample.labels.instances is None:
            return label, None
        numbers = label.astype(np.uint16)
        order = {id(instance): number for number, instance in enumerate(instances)}
        for instance in largest_first(instances):
            numbers[instance.mask] = _THOUSAND * ids[classes[instance.category]] + order[id(instance)]
        return label, numbers


def label_ids(classes: Sequence[str]) -> dict[str, int]:
    """Name → id in labelIds, of the classes, of background and of void."""
    own = [name for name in classes if name not in CLASSES]
    table = {name: _FIRST_OWN + i for i, name in enumerate(own)}
    return {_VOID_NAME: _VOID_ID, BACKGROUND: _BACKGROUND_ID, **{name: {**CLASSES, **table}[name] for name in classes}}


def _read(file: Path, size: Size, place: str, ids: Mapping[str, int], classes: Sequence[str]) -> Labels:
    numbers = file.with_name(file.name.removesuffix(_LABEL_IDS) + _INSTANCE_IDS)
    maps = read_ids(file, file.name), read_ids(numbers, numbers.name) if numbers.is_file() else None
    return _labels(maps, ids, classes, size, place)


def _labels(maps: _Maps, ids: Mapping[str, int], classes: Sequence[str], size: Size, place: str) -> Labels:
    label, numbers = maps
    same_size(label.shape, size, f"{place}: labelIds")
    table = np.full(VOID + 1, -1)
    for name, number in ids.items():
        special = {_VOID_NAME: VOID, BACKGROUND: 0}
        table[number] = special[name] if name in special else classes.index(name) + 1
    table[VOID] = VOID
    known = table[np.clip(label, 0, VOID)]
    if (known < 0).any() or label.max(initial=0) > VOID:
        got = int(label[(known < 0) | (label > VOID)][0])
        raise DataError(explain(f"{place}: id of labelIds", got=got, expected=f"one of {_IDS}"))
    instances = None if numbers is None else _instances(numbers, {v: k for k, v in ids.items()}, classes, size, place)
    return Labels(instances=instances, label=known.astype(np.uint8))


def _instances(
    numbers: Integer[np.ndarray, "_ _"], names: Mapping[int, str], classes: Sequence[str], size: Size, place: str
) -> tuple[FileInstance, ...]:
    same_size(numbers.shape, size, f"{place}: instanceIds")
    instances = []
    found = [int(value) for value in np.unique(numbers) if value >= _THOUSAND]
    for value in sorted(found, key=lambda value: (value % _THOUSAND, value)):
        class_id, number = divmod(value, _THOUSAND)
        mask = numbers == value
        place_of_object = f"{place}: object {value} of instanceIds"
        category = category_of(names.get(class_id, str(class_id)), classes, place_of_object)
        instances.append(FileInstance(category=category, box=rle.box(mask), mask=mask, number=number))
    return tuple(instances)


def _read_ids(file: Path, classes: Sequence[str]) -> dict[str, int]:
    if not file.is_file():
        return label_ids(classes)
    found = read_json(file)
    ids = list(found.values()) if isinstance(found, dict) else [None]
    if not all(isinstance(value, int) and 0 <= value < VOID for value in ids) or len(set(ids)) != len(ids):
        raise DataError(explain(f"{file}", got=found, expected="class name → id from 0 to 254, each once"))
    for name in found:
        if name not in (_VOID_NAME, BACKGROUND):
            category_of(name, classes, str(file))
    return found

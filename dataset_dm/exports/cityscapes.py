"""Cityscapes: `leftImg8bit` and `gtFine` with labelIds and instanceIds, a city a split; ids are told in `classes.json`.

Classes of Cityscapes keep their ids, others count from 34. Void is its id 0 (unlabeled), background its id 4 (static:
what is of no other class). An object is 1000 × id + its number in the picture. No polygons and no colours are written:
the two maps say more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format, by_name, category_of, same_size, save_image
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
_FOLDERS = {"validation": "val"}


class Cityscapes(Format):
    """See above."""

    name = "cityscapes"
    title = "Cityscapes"
    needs = ("objects", "label")
    cannot = (NO_MASK, LOOSE_BOXES, SHARED_PIXELS, KEYPOINTS, SCORES, CROWDS, DEPTH)
    notes = ("classes that Cityscapes does not have take ids from 34, which its own tools leave out; see classes.json",)

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:
        last = max(label_ids(classes).values())
        most = _LAST_WITH_OBJECTS if "objects" in columns else VOID - 1
        if last > most:
            what = f"{self.name}: classes that Cityscapes has not"
            got, expected = last - _FIRST_OWN + 1, f"at most {most - _FIRST_OWN + 1}"
            raise DataError(explain(what, got=got, expected=expected, remedy="take another format, such as coco"))

    def holds(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        return instance.mask is not None

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        ids = label_ids(classes)
        images, labels = (folder / kind / _FOLDERS.get(split, split) / split for kind in (_IMAGES, _LABELS))
        labels.mkdir(parents=True)
        for sample in samples:
            save_image(images, sample, f"{sample.name}_{_IMAGES}{sample.suffix}")
            for ending, pixels in zip((_LABEL_IDS, _INSTANCE_IDS), self._maps(sample, classes, ids), strict=True):
                if pixels is not None:
                    Image.fromarray(pixels).save(labels / f"{sample.name}{ending}", "PNG")

    def finish(self, folder: Path, splits: Sequence[str], classes: Sequence[str]) -> None:
        text = json.dumps(label_ids(classes), indent=1, ensure_ascii=False)
        (folder / _IDS).write_text(text + "\n", encoding="utf-8")

    def seen(self, sample: Sample, classes: Sequence[str]) -> Labels:
        ids = label_ids(classes)
        label, numbers = self._maps(sample, classes, ids)
        places = [place for place, _ in self.held(sample, classes)]
        found = _labels(label, numbers, ids, classes, sample.size, sample.name)
        # here number is that in the picture, among those that are written
        instances = [_with_number(instance, places[instance.number]) for instance in found.instances or ()]
        return Labels(instances=tuple(instances), label=found.label)

    def read(self, path: Path, classes: Sequence[str]) -> CityscapesReviewed:
        return CityscapesReviewed(path, classes)

    def _maps(
        self, sample: Sample, classes: Sequence[str], ids: Mapping[str, int]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """labelIds uint8 [H W] and, of a set with objects, instanceIds uint16 [H W]."""
        instances = [instance for _, instance in self.held(sample, classes)]
        if len(instances) > _THOUSAND:
            raise DataError(explain(f"{sample.name}: objects", got=len(instances), expected=f"at most {_THOUSAND}"))
        label = sample.labels.label
        if label is None:
            label = class_map(instances, sample.size)
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


class CityscapesReviewed:
    """The label maps of a folder."""

    def __init__(self, path: Path, classes: Sequence[str]) -> None:
        self._classes = classes
        self._ids = _read_ids(path / _IDS, classes)
        files = sorted((path / _LABELS).glob(f"*/*/*{_LABEL_IDS}"))
        if not files:
            expected = f"{_LABELS}/<split>/<city>/<image>{_LABEL_IDS}"
            raise DataError(explain(f"{path}: no label file", expected=expected))
        found = by_name(((file.name.removesuffix(_LABEL_IDS), str(file)) for file in files), str(path))
        self._files = {name: Path(file) for name, file in found.items()}

    @property
    def names(self) -> Collection[str]:
        return self._files.keys()

    def labels(self, name: str, size: Size) -> Labels:
        file = self._files[name]
        instances = file.with_name(f"{name}{_INSTANCE_IDS}")
        numbers = read_ids(instances, instances.name) if instances.is_file() else None
        return _labels(read_ids(file, file.name), numbers, self._ids, self._classes, size, f"image {name!r}")


def label_ids(classes: Sequence[str]) -> dict[str, int]:
    """Name → id in labelIds, of the classes, of background and of void."""
    own = [name for name in classes if name not in CLASSES]
    table = {name: _FIRST_OWN + i for i, name in enumerate(own)}
    return {_VOID_NAME: _VOID_ID, BACKGROUND: _BACKGROUND_ID, **{name: {**CLASSES, **table}[name] for name in classes}}


def _labels(
    label: np.ndarray,
    numbers: np.ndarray | None,
    ids: Mapping[str, int],
    classes: Sequence[str],
    size: Size,
    place: str,
) -> Labels:
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
    numbers: np.ndarray, names: Mapping[int, str], classes: Sequence[str], size: Size, place: str
) -> tuple[FileInstance, ...]:
    same_size(numbers.shape, size, f"{place}: instanceIds")
    instances = []
    found = [int(one) for one in np.unique(numbers) if one >= _THOUSAND]
    for one in sorted(found, key=lambda value: (value % _THOUSAND, value)):
        name = names.get(one // _THOUSAND, str(one // _THOUSAND))
        mask = numbers == one
        category = category_of(name, classes, f"{place}: object {one} of instanceIds")
        instances.append(FileInstance(category=category, box=rle.box(mask), mask=mask, number=one % _THOUSAND))
    return tuple(instances)


def _with_number(instance: FileInstance, number: int) -> FileInstance:
    return FileInstance(category=instance.category, box=instance.box, mask=instance.mask, number=number)


def _read_ids(file: Path, classes: Sequence[str]) -> dict[str, int]:
    if not file.is_file():
        return label_ids(classes)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(explain(f"{file}: cannot be read as JSON ({error})")) from error
    ids = list(found.values()) if isinstance(found, dict) else [None]
    if not all(isinstance(one, int) and 0 <= one < VOID for one in ids) or len(set(ids)) != len(ids):
        raise DataError(explain(f"{file}", got=found, expected="class name → id from 0 to 254, each once"))
    for name in found:
        if name not in (_VOID_NAME, BACKGROUND):
            category_of(name, classes, str(file))
    return found

"""Cityscapes: leftImg8bit and gtFine with its 19 training classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.labels.file_instance import FileInstance, paint
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.folder_set import Entry, FolderSet
from dataset_dm.readers.images import read_ids, read_image
from dataset_dm.readers.labelled import LabelledImage, SampleError, fits, without_background

# name → id in labelIds; the order is that of trainIds (the set's own table)
CLASSES = {
    "road": 7,
    "sidewalk": 8,
    "building": 11,
    "wall": 12,
    "fence": 13,
    "pole": 17,
    "traffic light": 19,
    "traffic sign": 20,
    "vegetation": 21,
    "terrain": 22,
    "sky": 23,
    "person": 24,
    "rider": 25,
    "car": 26,
    "truck": 27,
    "bus": 28,
    "train": 31,
    "motorcycle": 32,
    "bicycle": 33,
}
COUNTABLE = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
_LAST_LABEL_ID = 33
_IMAGES, _LABELS = "leftImg8bit", "gtFine"


class CityscapesFolder(FolderSet):
    """Images and labels of one split.

    Pixels that the set does not evaluate are void; classes that were not asked for are background.

    Args:
        root: the folder of leftImg8bit and gtFine.
        split: train (default), val, …
        classes: some of the 19, in the order of their ids.

    Raises:
        DataError: no such folders or split, or an unknown class.
    """

    def __init__(self, root: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        base = Path(root) / _IMAGES
        chosen = without_background(classes) if classes else tuple(CLASSES)
        for name in chosen:
            if name not in CLASSES:
                message = explain(f"{root}: class", got=name, expected=f"one of {', '.join(CLASSES)}")
                raise DataError(message + did_you_mean(name, CLASSES))
        split = split or "train"
        if not (base / split).is_dir():
            known = sorted(each.name for each in base.glob("*") if each.is_dir())
            raise DataError(f"{root}: no split {split!r} in {_IMAGES}; there are: {', '.join(known) or 'none'}")
        self._tables = {
            "labelTrainIds": _table(chosen, list(range(19))),
            "labelIds": _table(chosen, list(CLASSES.values())),
        }
        self._chosen = {name: row + 1 for row, name in enumerate(chosen)}
        images = sorted((base / split).glob(f"*/*_{_IMAGES}.png"))
        labels = [_labels_of(file, Path(root) / _LABELS / split) for file in images]
        instances = any(files["instances"].is_file() for files in labels)
        entries = []
        for image, files in zip(images, labels, strict=True):
            kept = {what: file for what, file in files.items() if instances or what != "instances"}
            entries.append(Entry(image.name.removesuffix(f"_{_IMAGES}.png"), {"image": image, **kept}))
        kinds = ("semantic", "instance") if instances else ("semantic",)
        super().__init__(entries, chosen, f"{root} {split}", kinds)

    def read(self, entry: Entry) -> LabelledImage:
        name, file = f"image {entry.name!r}", entry.files["mask"]
        label = self._label(read_ids(file, name), file, name)
        image = read_image(entry.files["image"], name, label.shape)
        fits(image, label.shape, "mask", name)
        instances = None
        if "instances" in entry.files:
            numbers = read_ids(entry.files["instances"], name)
            fits(image, numbers.shape, "instance mask", name)
            found = (self._instance(numbers, int(number)) for number in np.unique(numbers))
            _, instances = paint([one for one in found if one is not None], numbers.shape, poses=False)
        return LabelledImage(entry.name, image, label, instances=instances)

    def _label(self, ids: np.ndarray, file: Path, name: str) -> np.ndarray:
        kind = file.stem.rsplit("_", 1)[-1]
        table = self._tables[kind]
        last = 18 if kind == "labelTrainIds" else _LAST_LABEL_ID
        wrong = np.unique(ids[(ids > last) & (ids != VOID)])
        if wrong.size:
            raise SampleError(
                "unknown class", f"{name}: mask has id {wrong[0]}, {kind} has 0..{last} and {VOID} for void"
            )
        return table[ids]

    def _instance(self, numbers: np.ndarray, number: int) -> FileInstance | None:
        """The instance of a number of instanceIds: 1000 × label id + n; a label id alone is a group, a crowd."""
        label_id = number // 1000 if number >= 1000 else number
        for name in COUNTABLE:
            if CLASSES[name] == label_id and name in self._chosen:
                return FileInstance(mask=numbers == number, category=self._chosen[name] - 1, crowd=number < 1000)
        return None


def _table(chosen: Sequence[str], stored: Sequence[int]) -> np.ndarray:
    """Stored id → our id, uint8 [256]; void where the set has no training class."""
    table = np.full(256, VOID, np.uint8)
    for name, stored_id in zip(CLASSES, stored, strict=True):
        table[stored_id] = chosen.index(name) + 1 if name in chosen else 0
    return table


def _labels_of(image: Path, labels: Path) -> dict[str, Path]:
    stem = image.name.removesuffix(f"_{_IMAGES}.png")
    ready, plain, instances = (
        labels / image.parent.name / f"{stem}_{_LABELS}_{kind}.png"
        for kind in ("labelTrainIds", "labelIds", "instanceIds")
    )
    return {"mask": ready if ready.is_file() else plain, "instances": instances}

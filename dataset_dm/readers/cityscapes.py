"""Cityscapes: the folders leftImg8bit and gtFine with the set's 19 training classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataset_dm.labels.file_instance import FileInstance, paint
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.folder_set import Entry, FolderSet
from dataset_dm.readers.images import read_ids, read_image
from dataset_dm.readers.labelled import LabelledImage, SampleError, check_size, choose_classes, no_split

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

    Pixels that the set does not evaluate are void; classes that were not chosen are background.

    Args:
        root: the folder of leftImg8bit and gtFine.
        split: train (default), val, …
        classes: some of the 19, in the order of their ids.

    Raises:
        DataError: no such folders or split, or an unknown class.
    """

    def __init__(self, root: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        base = Path(root) / _IMAGES
        chosen = choose_classes(CLASSES, classes, root, f"one of {', '.join(CLASSES)}")
        split = split or "train"
        if not (base / split).is_dir():
            known = sorted(folder.name for folder in base.glob("*") if folder.is_dir())
            raise no_split(root, split, known, f" in {_IMAGES}")
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
        super().__init__(entries, chosen, kinds, root, split)

    def read(self, entry: Entry) -> LabelledImage:
        name, file = f"image {entry.name!r}", entry.files["mask"]
        label = self._label(read_ids(file, name), file, name)
        image = read_image(entry.files["image"], name, label.shape, "mask")
        instances = None
        if "instances" in entry.files:
            numbers = read_ids(entry.files["instances"], name)
            check_size(image, numbers.shape, "instance mask", name)
            found = (self._instance(numbers, int(number)) for number in np.unique(numbers))
            _, instances = paint([instance for instance in found if instance is not None], numbers.shape, poses=False)
        return LabelledImage(entry.name, image, label, instances=instances)

    def _label(self, ids: np.ndarray, file: Path, name: str) -> np.ndarray:
        kind = file.stem.rsplit("_", 1)[-1]
        table = self._tables[kind]
        last = 18 if kind == "labelTrainIds" else _LAST_LABEL_ID
        wrong = np.unique(ids[(ids > last) & (ids != VOID)])
        if wrong.size:
            message = f"{name}: mask has id {wrong[0]}, {kind} has 0..{last} and {VOID} for void"
            raise SampleError("unknown class", message)
        return table[ids]

    def _instance(self, numbers: np.ndarray, number: int) -> FileInstance | None:
        """The instance of a number of instanceIds: 1000 × label id + n, or the label id alone for a group (a crowd)."""
        label_id = number // 1000 if number >= 1000 else number
        for name in COUNTABLE:
            if CLASSES[name] == label_id and name in self._chosen:
                return FileInstance(mask=numbers == number, category=self._chosen[name] - 1, crowd=number < 1000)
        return None


def _table(chosen: Sequence[str], stored: Sequence[int]) -> np.ndarray:
    """Stored id → id in the label, uint8 [256]; void for an id that is no training class."""
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

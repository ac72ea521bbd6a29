"""A folder in the layout of PASCAL VOC: JPEGImages, SegmentationClass, optional SegmentationObject, ImageSets and
class_names.txt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from dataset_dm.errors import DataError
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.labels.vocabulary import VOC_CLASSES, VOID
from dataset_dm.readers.folder_set import Entry, FolderSet, read_classes
from dataset_dm.readers.images import IMAGE_TYPES, read_mask
from dataset_dm.readers.labelled import LabelledImage, SampleError, check_size, no_split, without_background
from dataset_dm.readers.parsing import class_names

_FOLDERS = {"image": "JPEGImages", "mask": "SegmentationClass", "object mask": "SegmentationObject"}


class VocFolder(FolderSet):
    """Images and palette masks of one split.

    Args:
        root: the folder.
        split: a file ``ImageSets/Segmentation/<split>.txt``; without ImageSets every image is taken. Default "train" if
            that file exists.
        classes: names without background; default ``class_names.txt``, else VOC's twenty.

    Raises:
        DataError: a folder or the split is missing.
    """

    def __init__(self, root: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        for part in ("JPEGImages", "SegmentationClass"):
            if not (self.root / part).is_dir():
                raise DataError(f"{root}: there is no folder {part}; expected the layout of PASCAL VOC")
        names = without_background(classes) if classes else class_names(self.root) or VOC_CLASSES
        files = {what: self._files(folder) for what, folder in _FOLDERS.items() if (self.root / folder).is_dir()}
        listed, found = self._listed(split, files["image"])
        if not any(name in files.get("object mask", {}) for name in listed):
            files.pop("object mask", None)
        kinds = ("semantic", "instance") if "object mask" in files else ("semantic",)
        super().__init__([self._entry(name, files) for name in listed], tuple(names), kinds, root, found)

    def read(self, entry: Entry) -> LabelledImage:
        name = f"image {entry.name!r}"
        image, label = read_classes(entry, self.classes)
        instances = None
        if "object mask" in entry.files:
            numbers = read_mask(entry.files["object mask"], name)
            check_size(image, numbers.shape, "object mask", name)
            instances = instances_of(numbers, label, name)
        return LabelledImage(entry.name, image, label, instances=instances)

    def _files(self, folder: str) -> dict[str, Path]:
        types = IMAGE_TYPES if folder == "JPEGImages" else (".png",)
        return {file.stem: file for file in sorted((self.root / folder).iterdir()) if file.suffix.lower() in types}

    def _entry(self, name: str, files: dict[str, dict[str, Path]]) -> Entry:
        def expected(what: str) -> Path:
            return self.root / _FOLDERS[what] / f"{name}.{'jpg' if what == 'image' else 'png'}"

        return Entry(name, {what: known.get(name, expected(what)) for what, known in files.items()})

    def _listed(self, split: str | None, images: dict[str, Path]) -> tuple[list[str], str | None]:
        """(names of the samples, their split); the split is None for a folder without splits."""
        lists = self.root / "ImageSets" / "Segmentation"
        file = lists / f"{split or 'train'}.txt"
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            return [line.split()[0] for line in lines if line.strip()], split or "train"
        if split is not None:  # never all images instead: held-out ones would be trained on
            raise no_split(
                self.root, split, sorted(file.stem for file in lists.glob("*.txt")), " in ImageSets/Segmentation"
            )
        # an image without a mask is an error, not a sample that silently disappears
        return sorted(images), None


def instances_of(numbers: UInt8[np.ndarray, "H W"], label: UInt8[np.ndarray, "H W"], name: str) -> Instances:
    """The instances of a map of instance numbers; each has the class that most of its pixels have in the class map.

    Args:
        numbers: 0 no object, 255 void, else one number for each object, gaps allowed.
        label: class map.

    Raises:
        SampleError: an object that lies on background alone.
    """
    found = [int(number) for number in np.unique(numbers) if number not in (0, VOID)]
    ids, classes = np.zeros(256, np.int32), []
    ids[VOID] = IGNORED
    for row, number in enumerate(found):
        below = label[(numbers == number) & (label != VOID) & (label > 0)]
        if not below.size:
            message = f"{name}: object {number} of the object mask lies on no class of the class mask; mend one of them"
            raise SampleError("unknown class", message)
        ids[number] = row + 1
        classes.append(int(np.bincount(below).argmax()))
    return Instances(map=ids[numbers], classes=np.array(classes, np.int64))

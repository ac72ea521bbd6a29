"""Labelled sets made of files: each sample an image and the files of its labels, matched by name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from dataset_dm.errors import DataError
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.images import IMAGE_TYPES, read_image, read_mask
from dataset_dm.readers.labelled import LabelledImage, SampleError, no_split

# words that distinguish the image of a sample from its labels: rgb_0001.jpg and depth_0001.png are one sample
_ROLE = "rgb|colors?|image|img|sync_depth|depth|groundtruth_depth|groundtruth|segm|mask|label"
_BEFORE, _AFTER = re.compile(rf"^(?:{_ROLE})[_-](?=.)"), re.compile(rf"(?<=.)[_-](?:{_ROLE})$")
_TRAIN = ("train", "training")


@dataclass(frozen=True)
class Entry:
    """One sample: the expected file of each part ("image", "mask", …); a missing file is an error on reading."""

    name: str
    files: Mapping[str, Path]


class FolderSet(ABC):
    """Samples of a folder; a subclass reads one of them.

    Args:
        entries: the samples.
        classes: names without background.
        kinds: names of the tasks it has labels of.
        where: the parts of `source`, such as the folder and the split; None is left out.
    """

    def __init__(
        self, entries: Sequence[Entry], classes: tuple[str, ...], kinds: Sequence[str], *where: object
    ) -> None:
        self.entries, self.classes, self.kinds = list(entries), classes, tuple(kinds)
        self.source = " ".join(str(part) for part in where if part)
        self.skipped: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> LabelledImage:
        entry = self.entries[index]
        _check_present(entry)
        return self.read(entry)

    def complete(self, count: int | None = None) -> None:
        """SampleError unless all files of the first `count` samples exist; no file is opened."""
        for entry in self.entries[:count]:
            _check_present(entry)

    @abstractmethod
    def read(self, entry: Entry) -> LabelledImage:
        """The sample, whose files exist."""


def _check_present(entry: Entry) -> None:
    for what, file in entry.files.items():
        if not file.is_file():
            sample = "sample" if what == "image" else "image"
            message = f"{sample} {entry.name!r} has no {what}: {file} is missing; add it or leave it out of the set"
            raise SampleError("missing file", message)


def read_classes(entry: Entry, classes: Sequence[str]) -> tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W"]]:
    """(image, class map) of an entry with a mask of class ids; SampleError when they fit neither each other nor
    `classes`."""
    name = f"image {entry.name!r}"
    label = read_mask(entry.files["mask"], name)
    image = read_image(entry.files["image"], name, label.shape, "mask")
    wrong = np.unique(label[(label > len(classes)) & (label != VOID)])
    if wrong.size:
        message = f"{name}: mask has class {int(wrong[0])}, the task has 0..{len(classes)} and {VOID} for void; "
        raise SampleError("unknown class", message + "fix the class list or the mask")
    return image, label


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """A folder of images beside a folder of labels; splits lie above (``train/images``) or below (``images/train``).

    Args:
        what: what errors call the label.
        images, labels: names the folders may have.
        types: of the label files; a folder without any is no folder of labels.
    """

    what: str
    images: tuple[str, ...]
    labels: tuple[str, ...]
    types: tuple[str, ...]

    def find(self, root: Path, split: str | None) -> tuple[list[Entry], str | None] | None:
        """(samples, split) under a root; None when there are no two such folders.

        Without a split "train" is taken where there is one. A part that one folder lacks is an error on reading, never
        a silent loss.

        Raises:
            DataError: there are such folders, but none of that split.
        """
        splits = {*_TRAIN, "val", "validation", "test", *([split] if split else [])}
        found = {name: folders for folders, name in reversed(list(self._folders(root, splits)))}
        if not found:
            return None
        for wanted in (split,) if split is not None else (*_TRAIN, None):
            if wanted in found:
                return self._entries(*found[wanted]), wanted
        known = sorted(name for name in found if name is not None)
        if split is not None:
            raise no_split(root, split, known)
        raise DataError(f"{root}: several splits; choose one, there are: {', '.join(known)}")

    def fits(self, root: Path) -> bool:
        """Whether a folder has such a pair of folders, in whatever splits."""
        return next(self._folders(root, {*_TRAIN, "val", "validation", "test"}), None) is not None

    def _entries(self, images: Path, labels: Path) -> list[Entry]:
        image_files, label_files = _files_below(images, IMAGE_TYPES), _files_below(labels, self.types)
        return [
            Entry(
                name,
                {
                    "image": image_files.get(name, images / f"{name}.jpg"),
                    self.what: label_files.get(name, labels / f"{name}.png"),
                },
            )
            for name in sorted({*image_files, *label_files})
        ]

    def _folders(self, root: Path, splits: Collection[str]) -> Iterator[tuple[tuple[Path, Path], str | None]]:
        """((folder of images, folder of labels), split) of every pair at a root or in its folders."""
        for base in (root, *_subfolders(root)):
            images, labels = _first(base, self.images), _first(base, self.labels)
            if images is None or labels is None:
                continue
            below = (
                [name for name in splits if (images / name).is_dir() and (labels / name).is_dir()]
                if base == root
                else []
            )
            if below:
                yield from (((images / name, labels / name), name) for name in sorted(below))
            elif any(file.suffix.lower() in self.types for file in labels.rglob("*")):
                yield (images, labels), None if base == root else base.name


def _files_below(folder: Path, types: Collection[str]) -> dict[str, Path]:
    """Files of these types in a folder and its subfolders, by their path without the type and their role's word."""
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in types and file.is_file())
    return {_key(file.relative_to(folder)): file for file in found}


def _key(path: Path) -> str:
    stem = _AFTER.sub("", _BEFORE.sub("", path.stem))
    stem = stem.replace("_groundtruth_depth_", "_image_")  # KITTI's selected validation images
    return (path.parent / stem).as_posix()


def _first(base: Path, names: Sequence[str]) -> Path | None:
    return next((base / name for name in names if (base / name).is_dir()), None)


def _subfolders(root: Path) -> list[Path]:
    return sorted(file for file in root.iterdir() if file.is_dir()) if root.is_dir() else []

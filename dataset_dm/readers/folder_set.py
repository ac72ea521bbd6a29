"""Labelled sets made of files: each sample an image and the files of its labels, found by name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_dm.errors import DataError, did_you_mean
from dataset_dm.readers.images import IMAGE_TYPES
from dataset_dm.readers.labelled import LabelledImage, SampleError

# words that tell the image of a sample from its labels: rgb_0001.jpg and depth_0001.png are one sample
_ROLE = "rgb|colors?|image|img|sync_depth|depth|groundtruth_depth|groundtruth|segm|mask|label"
_BEFORE, _AFTER = re.compile(rf"^(?:{_ROLE})[_-](?=.)"), re.compile(rf"(?<=.)[_-](?:{_ROLE})$")
_TRAIN = ("train", "training")


@dataclass(frozen=True)
class Entry:
    """One sample: `files` says where each part ("image", "mask", …) must lie; whether it does is asked on reading."""

    name: str
    files: Mapping[str, Path]


class FolderSet(ABC):
    """Samples of a folder; a leaf says how one is read.

    Args:
        entries: the samples.
        classes: names without background.
        source: where they are from.
        kinds: names of the tasks it has labels of.
    """

    def __init__(self, entries: Sequence[Entry], classes: tuple[str, ...], source: str, kinds: Sequence[str]) -> None:
        self.entries, self.classes, self.source, self.kinds = list(entries), classes, source, tuple(kinds)
        self.skipped: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> LabelledImage:
        entry = self.entries[index]
        _present(entry)
        return self.read(entry)

    def complete(self, count: int | None = None) -> None:
        """SampleError unless all files of the first `count` samples are there; quick, nothing is read."""
        for entry in self.entries[:count]:
            _present(entry)

    @abstractmethod
    def read(self, entry: Entry) -> LabelledImage:
        """The sample, whose files exist."""


def _present(entry: Entry) -> None:
    for what, file in entry.files.items():
        if not file.is_file():
            sample = "sample" if what == "image" else "image"
            message = f"{sample} {entry.name!r} has no {what}: {file} is missing; add it or leave it out of the set"
            raise SampleError("missing file", message)


def files_below(folder: Path, types: Collection[str]) -> dict[str, Path]:
    """Files of these types in a folder and its subfolders, by their path without the type and their role's word."""
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in types and file.is_file())
    return {_key(file.relative_to(folder)): file for file in found}


def _key(path: Path) -> str:
    stem = _AFTER.sub("", _BEFORE.sub("", path.stem))
    stem = stem.replace("_groundtruth_depth_", "_image_")  # KITTI's selected validation images
    return (path.parent / stem).as_posix()


def pair(images: Path, labels: Path, types: Collection[str], what: str) -> list[Entry]:
    """One entry for each name in two folders; a part that is not there is an error on reading, never a silent loss.

    Args:
        images, labels: the folders.
        types: of the label files.
        what: what errors call the label.
    """
    shown, told = files_below(images, IMAGE_TYPES), files_below(labels, types)
    return [
        Entry(name, {"image": shown.get(name, images / f"{name}.jpg"), what: told.get(name, labels / f"{name}.png")})
        for name in sorted({*shown, *told})
    ]


def find_pair(
    root: Path, split: str | None, images: Sequence[str], labels: Sequence[str], types: Collection[str]
) -> tuple[Path, Path, str | None] | None:
    """(folder of the images, folder of the labels, split) under a root; None when there are no two such folders.

    Splits may lie above (``train/images``) or below (``images/train``); without a split "train" is taken where there is
    one.

    Args:
        images, labels: names the folders may have.
        types: of the label files; a folder without any is no folder of labels.

    Raises:
        DataError: there are such folders, but none of that split.
    """
    splits = {*_TRAIN, "val", "validation", "test", *([split] if split else [])}
    found = list(_pairs(root, images, labels, types, splits))
    if not found:
        return None
    for wanted in (split,) if split is not None else (*_TRAIN, None):
        for one in found:
            if one[2] == wanted:
                return one
    known = [str(one[2]) for one in found if one[2] is not None]
    said = f"there are: {', '.join(known) or 'none'}{did_you_mean(str(split), known)}"
    raise DataError(f"{root}: no split {split!r}; {said}" if split else f"{root}: several splits; choose one, {said}")


def _pairs(
    root: Path, images: Sequence[str], labels: Sequence[str], types: Collection[str], splits: Collection[str]
) -> Iterator[tuple[Path, Path, str | None]]:
    for base in (root, *_folders(root)):
        shown, told = _first(base, images), _first(base, labels)
        if shown is None or told is None:
            continue
        below = [each for each in _folders(shown) if (told / each.name).is_dir()] if base == root else []
        inner = [each.name for each in below if each.name in splits]
        if inner:
            yield from ((shown / name, told / name, name) for name in inner)
        elif any(file.suffix.lower() in types for file in told.rglob("*")):
            yield shown, told, None if base == root else base.name


def _first(base: Path, names: Sequence[str]) -> Path | None:
    return next((base / name for name in names if (base / name).is_dir()), None)


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []

"""Ultralytics' folder: `images/train`, `labels/train`, `data.yaml`; one line per object, `class x y w h`.

Numbers are shares of the sides of the image, x and y those of the centre. Subclasses store masks and keypoints instead.
The split validation is called val there. `data.yaml` has no `path`, so that Ultralytics takes the folder of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import FOLDERS, Format, Reviewed, category_of, find_files, read_text, save_image
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DETAILS, KEYPOINTS, MASKS
from dataset_dm.labels.file_instance import Box, FileInstance, Size
from dataset_dm.readers.images import IMAGE_TYPES

_YAML = "data.yaml"
_TRAINED = ("train", "val", "test")  # the splits of data.yaml
_DIGITS = 7  # of a share: half a thousandth of a pixel at a side of 10 000


class Yolo(Format):
    """Replaced by the list of what it does not support."""

    name = "yolo"
    title = "Ultralytics YOLO, boxes"
    unsupported = (MASKS, KEYPOINTS, *DETAILS)

    def names(self, classes: Sequence[str]) -> list[str]:
        """The classes of the files, in the order of their ids."""
        return list(classes)

    def more(self) -> str:
        """Further lines of data.yaml."""
        return ""

    def numbers(self, instance: FileInstance, size: Size) -> Float64[np.ndarray, " n"]:
        """The numbers of a line after the class, as shares of the sides."""
        return box_numbers(instance, size)

    def columns(self, count: int) -> str | None:
        """Describes what is wrong with a line of so many numbers after the class; None for a valid count."""
        return None if count == 4 else "expected x, y, w, h alone"

    def instance(self, category: int, numbers: Float64[np.ndarray, " n"], size: Size, place: str) -> FileInstance:
        """The object of a line; DataError for wrong numbers."""
        return FileInstance(category=category, box=box_of(numbers, size, place))

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        images, labels = (folder / kind / FOLDERS.get(split, split) for kind in ("images", "labels"))
        for folder_of_split in (images, labels):
            folder_of_split.mkdir(parents=True)
        for sample in samples:
            save_image(images, sample)
            (labels / f"{sample.name}.txt").write_text(self._text(sample, classes), encoding="utf-8")

    def finish(self, folder: Path, parts: Mapping[str, None], classes: Sequence[str]) -> None:
        there = [FOLDERS.get(split, split) for split in parts]
        lines = [f"{name}: images/{name}" for name in _TRAINED if name in there]
        for name in ("train", "val"):  # Ultralytics wants both
            if name not in there:
                instead = "train" if "train" in there else there[0]
                lines.append(f"{name}: images/{instead}  # the set has no such split")
        names = [f"  {i}: {json.dumps(name, ensure_ascii=False)}" for i, name in enumerate(self.names(classes))]
        text = "\n".join([*lines, *filter(None, [self.more()]), "names:", *names, ""])
        (folder / _YAML).write_text(text, encoding="utf-8")

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        table = [category_of(name, classes, _YAML) for name in self.names(classes)]
        return self._labels(self._text(sample, classes), table, sample.size, sample.name)

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        """The label files of a folder; an image without one is refused, since its file may have been lost."""
        found = find_files(path, "labels/**/*.txt", "labels/<split>/<image>.txt")
        images = {file.stem for file in sorted(path.glob("images/**/*")) if file.suffix.lower() in IMAGE_TYPES}
        entries = {**found, **dict.fromkeys(images - set(found))}
        return Reviewed(entries, partial(self._read, table=_table(path, self.names(classes), classes)))

    def _read(self, file: Path | None, size: Size, place: str, table: Sequence[int]) -> Labels:
        if file is None:
            remedy = "write an empty file if the image shows nothing"
            raise DataError(explain(f"{place}: its label file is missing", remedy=remedy))
        return self._labels(read_text(file), table, size, file.name)

    def _labels(self, text: str, table: Sequence[int], size: Size, place: str) -> Labels:
        """The objects of a label file; `table` has the category of every class id."""
        found = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                category, values = self._numbers(line.split(), table, f"{place}, line {number}")
                found.append(self.instance(category, values, size, f"{place}, line {number}"))
        return Labels(instances=tuple(found))

    def _numbers(self, words: list[str], table: Sequence[int], place: str) -> tuple[int, Float64[np.ndarray, " n"]]:
        try:
            values = np.array([float(word) for word in words[1:]])
            class_id = int(words[0])
        except ValueError:
            raise DataError(explain(place, got=" ".join(words), expected="a class id and numbers")) from None
        if not 0 <= class_id < len(table):
            expected = f"0..{len(table) - 1}, as {_YAML} names them"
            raise DataError(explain(f"{place}: class", got=class_id, expected=expected))
        wrong = "the box is missing, expected x, y, w, h" if len(values) < 4 else self.columns(len(values))
        if wrong:
            raise DataError(f"{place}: {len(values)} numbers after the class; {wrong}")
        return table[class_id], values

    def _text(self, sample: Sample, classes: Sequence[str]) -> str:
        ids = {classes.index(name): i for i, name in enumerate(self.names(classes))}
        lines = []
        for _, instance in self.supported(sample, classes):
            numbers = self.numbers(instance, sample.size).clip(0, None)
            words = (f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") for value in numbers)
            lines.append(" ".join([str(ids[instance.category]), *words]) + "\n")
        return "".join(lines)


def box_numbers(instance: FileInstance, size: Size) -> Float64[np.ndarray, " 4"]:
    """Centre and sides of a box, clipped to the image, as shares of its sides."""
    height, width = size
    x, y, w, h = instance.bounds
    left, right = np.clip([x, x + w], 0, width) / width
    top, bottom = np.clip([y, y + h], 0, height) / height
    return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def box_of(numbers: Float64[np.ndarray, " 4"], size: Size, place: str) -> Box:
    """x, y, w, h in pixels of such numbers; DataError when they are no shares or the box is empty."""
    height, width = size
    x, y, w, h = numbers * (width, height, width, height)
    if not ((numbers >= 0) & (numbers <= 1)).all() or w <= 0 or h <= 0:
        expected = "centre and sides as shares from 0 to 1, the sides above 0"
        raise DataError(explain(f"{place}: box", got=numbers.tolist(), expected=expected))
    return float(x - w / 2), float(y - h / 2), float(w), float(h)


def shares(points: Float[np.ndarray, "n 2"], size: Size, place: str) -> Float[np.ndarray, "n 2"]:
    """Points in pixels, from shares of the sides; DataError when they are not from 0 to 1."""
    valid = ((points >= 0) & (points <= 1)).all(axis=1)
    if not valid.all():
        raise DataError(explain(f"{place}: point", got=points[~valid][0].tolist(), expected="shares from 0 to 1"))
    return points * (size[1], size[0])


def _table(path: Path, written: Sequence[str], classes: Sequence[str]) -> list[int]:
    """The category of every class id: from the names in data.yaml, else from the names that the export writes."""
    file = path / _YAML
    if not file.is_file():
        return [category_of(name, classes, str(path)) for name in written]
    import yaml

    def parse(text: str) -> object:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error

    content = read_text(file, parse)
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list):
        raise DataError(explain(f"{file}: names", got=names, expected="the class names with ids from 0"))
    return [category_of(name, classes, str(file)) for name in names]

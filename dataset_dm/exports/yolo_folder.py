"""Ultralytics' folder: `images/train`, `labels/train`, `data.yaml`; one line an object, numbers as shares of the sides.

The split validation is called val there. `data.yaml` has no `path`, so that Ultralytics takes the folder it lies in.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format, Size, by_name, category_of, placed, save_image
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.labels.file_instance import FileInstance
from dataset_dm.readers.images import IMAGE_TYPES

_YAML = "data.yaml"
_FOLDERS = {"validation": "val"}
_TRAINED = ("train", "val", "test")  # what data.yaml may name
_DIGITS = 7  # of a share: half a thousandth of a pixel at a side of 10 000


class YoloFormat(Format):
    """What Ultralytics' formats share; a leaf says how an object becomes the numbers of a line, and back."""

    def names(self, classes: Sequence[str]) -> list[str]:
        """The classes that the files speak of, in the order of their ids."""
        return list(classes)

    def more(self) -> str:
        """Further lines of data.yaml."""
        return ""

    @abstractmethod
    def numbers(self, instance: FileInstance, size: Size) -> np.ndarray:
        """The numbers of a line after the class, as shares of the sides, float64 [n]."""

    @abstractmethod
    def instance(self, category: int, numbers: np.ndarray, size: Size, place: str) -> FileInstance:
        """The object of a line; DataError for wrong numbers, whose range is checked by the caller."""

    def columns(self, count: int) -> str | None:
        """What is wrong with a line of so many numbers after the class; None when that many can be."""
        return None

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        images, labels = (folder / kind / _FOLDERS.get(split, split) for kind in ("images", "labels"))
        for each in (images, labels):
            each.mkdir(parents=True)
        for sample in samples:
            save_image(images, sample)
            (labels / f"{sample.name}.txt").write_text(self._text(sample, classes), encoding="utf-8")

    def finish(self, folder: Path, splits: Sequence[str], classes: Sequence[str]) -> None:
        there = [_FOLDERS.get(split, split) for split in splits]
        lines = [f"{name}: images/{name}" for name in _TRAINED if name in there]
        for name in ("train", "val"):  # Ultralytics wants both
            if name not in there:
                instead = "train" if "train" in there else there[0]
                lines.append(f"{name}: images/{instead}  # the set has no such split")
        names = [f"  {i}: {json.dumps(name, ensure_ascii=False)}" for i, name in enumerate(self.names(classes))]
        text = "\n".join([*lines, *filter(None, [self.more()]), "names:", *names, ""])
        (folder / _YAML).write_text(text, encoding="utf-8")

    def seen(self, sample: Sample, classes: Sequence[str]) -> Labels:
        table = [category_of(name, classes, _YAML) for name in self.names(classes)]
        instances = self.instances(self._text(sample, classes), table, sample.size, sample.name)
        return Labels(instances=placed(instances, self.held(sample, classes)))

    def read(self, path: Path, classes: Sequence[str]) -> YoloReviewed:
        return YoloReviewed(path, self, classes)

    def instances(self, text: str, table: Sequence[int], size: Size, place: str) -> list[FileInstance]:
        """The objects of a label file; `table` has the category of every class id."""
        found = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                category, values = self._numbers(line.split(), table, f"{place}, line {number}")
                found.append(self.instance(category, values, size, f"{place}, line {number}"))
        return found

    def _numbers(self, words: list[str], table: Sequence[int], place: str) -> tuple[int, np.ndarray]:
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
        for _, instance in self.held(sample, classes):
            numbers = self.numbers(instance, sample.size).clip(0, None)
            words = (f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") for value in numbers)
            lines.append(" ".join([str(ids[instance.category]), *words]) + "\n")
        return "".join(lines)


class YoloReviewed:
    """The label files of a folder; an image without one was lost, so it is refused, unless it shows nothing."""

    def __init__(self, path: Path, kind: YoloFormat, classes: Sequence[str]) -> None:
        self._kind = kind
        self._table = _table(path, kind.names(classes), classes)
        labels = sorted(path.glob("labels/**/*.txt"))
        if not labels:
            raise DataError(explain(f"{path}: no label file", expected="labels/<split>/<image>.txt"))
        found = by_name(((file.stem, str(file)) for file in labels), str(path))
        self._files = {name: Path(file) for name, file in found.items()}
        images = [one for one in sorted(path.glob("images/**/*")) if one.suffix.lower() in IMAGE_TYPES]
        self._bare = {one.stem for one in images} - set(self._files)

    @property
    def names(self) -> Collection[str]:
        return [*self._files, *self._bare]

    def labels(self, name: str, size: Size) -> Labels:
        if name in self._bare:
            remedy = "write an empty file if the image shows nothing"
            raise DataError(explain(f"image {name!r}: its label file is missing", remedy=remedy))
        file = self._files[name]
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(explain(f"{file}: cannot be read ({error})")) from error
        return Labels(instances=tuple(self._kind.instances(text, self._table, size, file.name)))


def box_numbers(instance: FileInstance, size: Size) -> np.ndarray:
    """Centre and sides of a box, cut to the picture, as shares of its sides, float64 [4]."""
    height, width = size
    x, y, w, h = instance.bounds
    left, right = np.clip([x, x + w], 0, width) / width
    top, bottom = np.clip([y, y + h], 0, height) / height
    return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def box_of(numbers: np.ndarray, size: Size, place: str) -> tuple[float, float, float, float]:
    """x, y, w, h in pixels of such numbers; DataError when they are no shares or the box is empty."""
    height, width = size
    x, y, w, h = numbers * (width, height, width, height)
    if not ((numbers >= 0) & (numbers <= 1)).all() or w <= 0 or h <= 0:
        expected = "centre and sides as shares from 0 to 1, the sides above 0"
        raise DataError(explain(f"{place}: box", got=numbers.tolist(), expected=expected))
    return float(x - w / 2), float(y - h / 2), float(w), float(h)


def shares(points: np.ndarray, size: Size, place: str) -> np.ndarray:
    """Pixels of points [n 2] that are shares of the sides; DataError when they are none."""
    if not ((points >= 0) & (points <= 1)).all():
        wrong = points[~((points >= 0) & (points <= 1)).all(axis=1)][0].tolist()
        raise DataError(explain(f"{place}: point", got=wrong, expected="shares from 0 to 1"))
    return points * (size[1], size[0])


def _table(path: Path, written: Sequence[str], classes: Sequence[str]) -> list[int]:
    """The category of every class id: of data.yaml's names, else as the export writes them."""
    file = path / _YAML
    if not file.is_file():
        return [category_of(name, classes, str(path)) for name in written]
    import yaml

    try:
        names: Any = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("names")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise DataError(explain(f"{file}: cannot be read ({' '.join(str(error).split())[:120]})")) from error
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list):
        raise DataError(explain(f"{file}: names", got=names, expected="the class names with ids from 0"))
    return [category_of(name, classes, str(file)) for name in names]

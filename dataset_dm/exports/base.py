"""What every format has in common: what it needs, what it cannot hold, writing and reading."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Protocol

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import Loss
from dataset_dm.labels.file_instance import Box, FileInstance, Size
from dataset_dm.readers.annotations import check_box


class Reviewed(Protocol):
    """Corrected files, opened and checked as far as that goes without the set they belong to."""

    @property
    def names(self) -> Collection[str]:
        """The names of the images that they speak of, see `sample.file_name`."""

    def labels(self, name: str, size: Size) -> Labels:
        """The labels of one image of `size` (H, W); DataError where they are wrong."""


class Format(ABC):
    """One format.

    Attributes:
        name: what `--format` takes.
        title: how people call it.
        needs: columns of the set, at least one of which must be there.
        cannot: what it cannot hold.
        notes: further sentences for the user.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("objects",)
    cannot: ClassVar[tuple[Loss, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Puts the list of what a format cannot hold at the end of its docstring, from the data itself."""
        super().__init_subclass__()
        if cls.cannot:
            cls.__doc__ = f"{cls.title}. Cannot hold: {'; '.join(kind.why for kind in cls.cannot)}."

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:  # noqa: B027 - most hold any classes
        """DataError when it cannot hold a set of these classes and columns."""

    def holds(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        """Whether an object is written at all; one without extent never is."""
        return instance.bounds[2] > 0 and instance.bounds[3] > 0

    @abstractmethod
    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        """Writes the images of a split, as they are stored, and their labels."""

    def finish(self, folder: Path, splits: Sequence[str], classes: Sequence[str]) -> None:  # noqa: B027 - few need it
        """Writes what belongs to the whole set, when all splits are written."""

    @abstractmethod
    def seen(self, sample: Sample, classes: Sequence[str]) -> Labels:
        """What reading back the files of a sample gives; `number` of an instance is its place in the sample."""

    @abstractmethod
    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        """Opens corrected files of a set of these classes; DataError where there are none, or damaged ones."""

    def held(self, sample: Sample, classes: Sequence[str]) -> list[tuple[int, FileInstance]]:
        """The instances of a sample that are written, each with its place there."""
        return [each for each in enumerate(sample.labels.instances or ()) if self.holds(each[1], classes)]


def save_image(folder: Path, sample: Sample, file: str | None = None) -> None:
    """The picture's own bytes as a file of a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (file or sample.file)).write_bytes(sample.image)


def placed(instances: Iterable[FileInstance], places: Iterable[tuple[int, object]]) -> tuple[FileInstance, ...]:
    """Instances that were read back, each with the place of the one it was written from."""
    return tuple(replace(instance, number=place) for instance, (place, _) in zip(instances, places, strict=True))


def category_of(name: object, classes: Sequence[str], place: str) -> int:
    """The category of a class name; DataError when the set has no such class."""
    if name not in classes:
        known = f"one of the set's {len(classes)} classes ({', '.join(classes[:6])}{' …' if len(classes) > 6 else ''})"
        raise DataError(explain(f"{place}: class", got=name, expected=known) + did_you_mean(str(name), classes))
    return list(classes).index(str(name))


def same_size(got: Size, expected: Size, place: str) -> None:
    """DataError unless two sizes (H, W) are equal."""
    if tuple(got) != tuple(expected):
        message = f"{place} is {got[1]}×{got[0]}, its image {expected[1]}×{expected[0]}; they must be equal"
        raise DataError(message)


def inside(box: Sequence[float], size: Size, place: str) -> Box:
    """A box x, y, w, h; DataError when it is none, is empty or reaches over the edge by more than a pixel."""
    check_box(box, size, place)
    x, y, w, h = (float(value) for value in box)
    if w <= 0 or h <= 0:
        raise DataError(explain(f"{place}: box", got=[x, y, w, h], expected="a width and a height above 0"))
    return x, y, w, h


def by_name(found: Iterable[tuple[str, str]], what: str) -> Mapping[str, str]:
    """name → file; DataError when a name comes twice."""
    names: dict[str, str] = {}
    for name, file in found:
        if name in names:
            raise DataError(explain(f"{what}: image {name!r} comes twice ({names[name]}, {file})", remedy="keep one"))
        names[name] = file
    return names

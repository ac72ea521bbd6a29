"""What all formats share: which labels they support, and how images and labels are written and read back."""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image

from dataset_dm.checks import check_number
from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import EMPTY, Loss
from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.file_instance import Box, FileInstance, Size
from dataset_dm.readers.annotations import check_box

# splits that YOLO and Cityscapes call differently
FOLDERS = {"validation": "val"}


@dataclass(frozen=True)
class Reviewed:
    """Corrected files; whatever can be checked without the set that they belong to is checked.

    Args:
        entries: name of an image, see `sample.file_name` → what the format has read about it, or where to read it.
        parse: the labels of an entry, its image's (H, W) and the name for messages; DataError where they are wrong.
    """

    entries: Mapping[str, Any]
    parse: Callable[[Any, Size, str], Labels]

    def labels(self, name: str, size: Size) -> Labels:
        """The labels of one image of `size` (H, W); DataError where they are wrong."""
        return self.parse(self.entries[name], size, f"image {name!r}")


class Format(ABC):
    """One format.

    Attributes:
        name: what `--format` takes.
        title: its full name.
        needs: columns of the set, at least one of which is required.
        unsupported: labels that it cannot store.
        notes: further sentences for the user.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("objects",)
    unsupported: ClassVar[tuple[Loss, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Adds the loss that all formats have, and lists all losses in the docstring."""
        super().__init_subclass__()
        if "unsupported" in vars(cls):
            cls.unsupported = (*cls.unsupported, EMPTY)
            cls.__doc__ = f"{cls.title}. Unsupported: {'; '.join(kind.why for kind in cls.unsupported)}."

    @property
    def cannot(self) -> tuple[Loss, ...]:
        """Deprecated name of `unsupported`."""
        warnings.warn("cannot of a format is now Format.unsupported", DeprecationWarning, stacklevel=2)
        return self.unsupported

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:  # noqa: B027 - most take any classes
        """DataError when a set of these classes and columns cannot be written."""

    def supports(self, instance: FileInstance, classes: Sequence[str]) -> bool:
        """Whether an instance is written; one with an empty box never is."""
        return instance.bounds[2] > 0 and instance.bounds[3] > 0

    def supported(self, sample: Sample, classes: Sequence[str]) -> list[tuple[int, FileInstance]]:
        """(position in the sample, instance) of every instance that is written."""
        return [entry for entry in enumerate(sample.labels.instances or ()) if self.supports(entry[1], classes)]

    @abstractmethod
    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> Any:
        """Writes the images of a split, as they are stored, and their labels; returns what `finish` needs of it."""

    def finish(self, folder: Path, parts: Mapping[str, Any], classes: Sequence[str]) -> None:  # noqa: B027
        """Writes the files of the whole set, once all splits are written; `parts`: split → what `write` returned."""

    @abstractmethod
    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        """The labels that the files of a sample contain, read back, in the order in which they were written."""

    def round_trip(self, sample: Sample, classes: Sequence[str]) -> Labels:
        """The labels that the files of a sample contain; `number` of an instance is its position in the sample."""
        found = self.reread(sample, classes)
        if sample.labels.instances is None:
            return found
        written = zip(found.instances or (), self.supported(sample, classes), strict=True)
        return replace(found, instances=tuple(replace(instance, number=place) for instance, (place, _) in written))

    @abstractmethod
    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        """Opens corrected files of a set of these classes; DataError where there are none, or damaged ones."""


def save_image(folder: Path, sample: Sample, file: str | None = None) -> None:
    """Writes the stored bytes of the image into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (file or sample.file)).write_bytes(sample.image)


def save_maps(maps: Mapping[Path, Image.Image | None]) -> None:
    """Writes images as PNG files, whose folders are created; None is left out."""
    for file, pixels in maps.items():
        if pixels is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels.save(file, "PNG")


def save_json(file: Path, content: Any, indent: int | None = None) -> None:
    """Writes JSON with letters of all languages as they are; indented JSON ends with a line break."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    file.write_text(text + ("\n" if indent else ""), encoding="utf-8")


def read_text(file: Path, parse: Callable[[str], Any] = str, kind: str = "") -> Any:
    """What `parse` makes of a text file; DataError naming the `kind` of file when it cannot be read or parsed."""
    try:
        return parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(explain(f"{file}: cannot be read{f' as {kind}' * bool(kind)} ({reason})")) from error


def read_json(file: Path) -> Any:
    """The content of a JSON file; DataError when it cannot be read."""
    return read_text(file, json.loads, "JSON")


def find_files(path: Path, pattern: str, expected: str, ending: str | None = None) -> dict[str, Path]:
    """Name of the image → its label file, of all files that match; DataError for none, and for a name used twice.

    Args:
        path: the folder.
        pattern: glob pattern below it.
        expected: the layout that the error message names.
        ending: what follows the image's name (default: the suffix of the file).
    """
    files = sorted(path.glob(pattern))
    if not files:
        raise DataError(explain(f"{path}: no label file", expected=expected))
    return by_name(((file.name.removesuffix(ending or file.suffix), file, file) for file in files), path)


def by_name(found: Iterable[tuple[str, object, Any]], source: Path) -> dict[str, Any]:
    """name → entry, of (name, where it is listed, entry); DataError for a name that occurs twice."""
    entries: dict[str, tuple[object, Any]] = {}
    for name, place, entry in found:
        if name in entries:
            what = f"{source}: image {name!r} comes twice ({entries[name][0]}, {place})"
            raise DataError(explain(what, remedy="keep one"))
        entries[name] = (place, entry)
    return {name: entry for name, (_, entry) in entries.items()}


def stem(file: object, what: str) -> str:
    """The name of an image from the path of its file, in either system's spelling; DataError when it is no text."""
    if not isinstance(file, str):
        raise DataError(explain(what, got=file, expected="its file's name"))
    return Path(file.replace("\\", "/")).stem


def category_of(name: object, classes: Sequence[str], place: str) -> int:
    """The category of a class name; DataError when the set has no such class."""
    if name not in classes:
        known = f"one of the set's {len(classes)} classes ({', '.join(classes[:6])}{' …' if len(classes) > 6 else ''})"
        raise DataError(explain(f"{place}: class", got=name, expected=known) + did_you_mean(str(name), classes))
    return list(classes).index(str(name))


def joint_of(name: object, place: str) -> int:
    """The index of a keypoint's name in COCO's order; DataError for any other name."""
    if name not in KEYPOINTS:
        raise DataError(explain(f"{place}: keypoint", got=name, expected=f"one of {', '.join(KEYPOINTS)}"))
    return KEYPOINTS.index(str(name))


def score_of(value: object, place: str) -> float | None:
    """A score 0..1, None as None; DataError for anything else."""
    return None if value is None else check_number(f"{place}: score", value, 0, 1, error=DataError)


def same_size(got: Sequence[int], expected: Size, place: str) -> None:
    """DataError unless two sizes (H, W) are equal."""
    if tuple(got) != tuple(expected):
        message = f"{place} is {got[1]}×{got[0]}, its image {expected[1]}×{expected[0]}; they must be equal"
        raise DataError(message)


def inside(box: Sequence[float], size: Size, place: str) -> Box:
    """The box x, y, w, h; DataError when it is invalid, is empty or exceeds the image by more than a pixel."""
    check_box(box, size, place)
    x, y, w, h = (float(value) for value in box)
    if w <= 0 or h <= 0:
        raise DataError(explain(f"{place}: box", got=[x, y, w, h], expected="a width and a height above 0"))
    return x, y, w, h

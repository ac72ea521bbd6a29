"""One labelled image, and what a set of them can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dataset_dm.errors import DataError

VOID = 255
BACKGROUNDS = ("background", "_background_", "__background__", "__ignore__", "_ignore_")


@dataclass(frozen=True)
class LabelledImage:
    """An image and its class map.

    Args:
        name: what errors call it.
        image: uint8 [H W 3], RGB.
        label: uint8 [H W]; 0 background, i + 1 the i-th class, 255 void.
        caption: a text that describes it, or None.
    """

    name: str
    image: np.ndarray
    label: np.ndarray
    caption: str | None = None


class LabelledSet(Protocol):
    """Images that can be asked for by position; ``classes`` has no background; ``source`` says where they are from."""

    classes: tuple[str, ...]
    source: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelledImage: ...


class Subset:
    """Some images of a set, in the given order."""

    def __init__(self, parent: LabelledSet, positions: Sequence[int]) -> None:
        self.parent, self.positions = parent, list(positions)
        self.classes, self.source = parent.classes, parent.source

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> LabelledImage:
        return self.parent[self.positions[index]]


def read_image(file: Path | bytes | Image.Image, name: str) -> np.ndarray:
    """RGB uint8 [H W 3], upright; DataError naming the sample when it is damaged."""
    picture = ImageOps.exif_transpose(_open(file, name, "image"))
    return np.asarray(picture.convert("RGB"))


def read_mask(file: Path | bytes | Image.Image, name: str) -> np.ndarray:
    """Class ids uint8 [H W] of a palette or grey PNG; DataError for anything else."""
    picture = _open(file, name, "mask")
    if picture.mode not in ("P", "L", "1", "I", "I;16"):
        raise DataError(
            f"{name}: mask has mode {picture.mode}, expected a palette or grey picture of class ids; "
            "convert colours to ids first"
        )
    ids = np.asarray(picture).astype(np.int64)
    if ids.min() < 0 or ids.max() > VOID:
        raise DataError(f"{name}: mask has id {int(ids.max())}, expected 0..255; store class ids, not scores")
    return ids.astype(np.uint8)


def check(image: np.ndarray, label: np.ndarray, classes: Sequence[str], name: str) -> None:
    """DataError unless image and label fit each other and the class list."""
    if image.shape[:2] != label.shape:
        got, expected = f"{label.shape[1]}×{label.shape[0]}", f"{image.shape[1]}×{image.shape[0]}"
        raise DataError(f"{name}: mask is {got}, its image {expected}; masks must have the size of their image")
    wrong = np.unique(label[(label > len(classes)) & (label != VOID)])
    if wrong.size:
        raise DataError(
            f"{name}: mask has class {int(wrong[0])}, the task has 0..{len(classes)} and {VOID} for void; "
            "fix the class list or the mask"
        )


def without_background(names: Sequence[str]) -> tuple[str, ...]:
    """Class names less a leading background entry."""
    kept = [name.strip() for name in names if name.strip()]
    return tuple(kept[1:] if kept and kept[0].lower() in BACKGROUNDS else kept)


def _open(file: Path | bytes | Image.Image, name: str, what: str) -> Image.Image:
    try:
        content = file.read_bytes() if isinstance(file, Path) else file
        picture = content if isinstance(content, Image.Image) else Image.open(BytesIO(content))
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"{name}: {what} cannot be read ({reason}); it is truncated or no picture, replace it"
        ) from error
    return picture

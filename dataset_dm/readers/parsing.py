"""Images beside masks of class ids, in images/ and segm/: the layout of sets for parsing people and clothes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_dm.errors import DataError
from dataset_dm.readers.folder_set import Entry, FolderSet, Pairing, read_classes
from dataset_dm.readers.images import MASK_TYPES
from dataset_dm.readers.labelled import LabelledImage, without_background

_PAIRING = Pairing(
    what="mask",
    images=("images", "image", "img", "imgs"),
    labels=("segm", "segmentation", "masks", "mask", "annotations", "parsing", "labels"),
    types=MASK_TYPES,
)
CLASS_FILES = ("class_names.txt", "classes.txt", "labels.txt")


class ParsingFolder(FolderSet):
    """Images and palette or grey masks of one split, paired by name; ``x.jpg`` goes with ``x.png`` or ``x_segm.png``.

    Args:
        root: the folder.
        split: a folder of that name above or below those of images and masks; default "train" if there is one.
        classes: names without background; default those of ``class_names.txt``, one a line, the background first.

    Raises:
        DataError: no such folders, not that split, or no class names.
    """

    def __init__(self, root: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        found = _PAIRING.find(Path(root), split)
        if found is None:
            images, masks = ", ".join(_PAIRING.images), ", ".join(_PAIRING.labels)
            raise DataError(f"{root}: no folder of images ({images}) beside one of masks ({masks})")
        names = without_background(classes) if classes else class_names(Path(root))
        if names is None:
            remedy = "write one name a line, the background first, or pass classes="
            raise DataError(f"{root}: no class_names.txt; {remedy}")
        entries, listed = found
        super().__init__(entries, names, ("semantic",), root, listed)

    def read(self, entry: Entry) -> LabelledImage:
        return LabelledImage(entry.name, *read_classes(entry, self.classes))


looks_like_parsing = _PAIRING.fits


def class_names(root: Path) -> tuple[str, ...] | None:
    """The names of a folder's class file without background; None when it has no such file."""
    file = next((root / name for name in CLASS_FILES if (root / name).is_file()), None)
    if file is None:
        return None
    try:
        names = without_background(file.read_text(encoding="utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if not names:
        raise DataError(f"{file}: no class name in it; write one a line, the background first")
    return names

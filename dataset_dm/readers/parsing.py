"""Images beside masks of class ids, as sets for parsing people and clothes have them: images/ and segm/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_dm.errors import DataError
from dataset_dm.readers.folder_set import Entry, FolderSet, find_pair, pair
from dataset_dm.readers.images import MASK_TYPES, read_image, read_mask
from dataset_dm.readers.labelled import LabelledImage, check, without_background

IMAGES = ("images", "image", "img", "imgs")
MASKS = ("segm", "segmentation", "masks", "mask", "annotations", "parsing", "labels")
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
        found = find_pair(Path(root), split, IMAGES, MASKS, MASK_TYPES)
        if found is None:
            raise DataError(
                f"{root}: no folder of images ({', '.join(IMAGES)}) beside one of masks ({', '.join(MASKS)})"
            )
        images, masks, listed = found
        names = without_background(classes) if classes else class_names(Path(root))
        if names is None:
            raise DataError(
                f"{root}: no class_names.txt; write one name a line, the background first, or pass classes="
            )
        source = f"{root} {listed}" if listed else str(root)
        super().__init__(pair(images, masks, MASK_TYPES, "mask"), names, source, ("semantic",))

    def read(self, entry: Entry) -> LabelledImage:
        name = f"image {entry.name!r}"
        label = read_mask(entry.files["mask"], name)
        image = read_image(entry.files["image"], name, label.shape)
        check(image, label, self.classes, name)
        return LabelledImage(entry.name, image, label)


def looks_like_parsing(root: Path) -> bool:
    """Whether a folder has images beside masks."""
    try:
        return find_pair(root, None, IMAGES, MASKS, MASK_TYPES) is not None
    except DataError:  # it has, in several splits
        return True


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

"""A folder in the layout of PASCAL VOC: JPEGImages, SegmentationClass, optional ImageSets and class_names.txt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_dm.errors import DataError
from dataset_dm.miniature.world import VOC_CLASSES
from dataset_dm.training.data.labelled import LabelledImage, check, read_image, read_mask, without_background

IMAGE_TYPES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class VocFolder:
    """Images and palette masks of one split.

    Args:
        root: the folder.
        split: a file ``ImageSets/Segmentation/<split>.txt``; without ImageSets every image is taken. Default "train" if
            that file is there.
        classes: names without background; default ``class_names.txt``, else VOC's twenty.

    Raises:
        DataError: a part is missing, or an image of the split has no mask or a mask no image.
    """

    def __init__(self, root: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        for part in ("JPEGImages", "SegmentationClass"):
            if not (self.root / part).is_dir():
                raise DataError(f"{root}: there is no folder {part}; expected the layout of PASCAL VOC")
        self.classes = without_background(classes) if classes else self._own_classes()
        self._images = self._files("JPEGImages", IMAGE_TYPES)
        self._masks = self._files("SegmentationClass", (".png",))
        self.names, listed = self._listed(split)
        self.source = f"{root} {listed}" if listed else str(root)
        for name in self.names:
            if name not in self._images:
                raise DataError(
                    f"{root}: sample {name!r} has no image in JPEGImages; add it or leave it out of the split"
                )
            if name not in self._masks:
                remedy = "add it or leave the image out of the split"
                raise DataError(f"{root}: image {name!r} has no mask in SegmentationClass; {remedy}")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> LabelledImage:
        name = self.names[index]
        image = read_image(self._images[name], f"image {name!r}")
        label = read_mask(self._masks[name], f"image {name!r}")
        check(image, label, self.classes, f"image {name!r}")
        return LabelledImage(name, image, label)

    def _own_classes(self) -> tuple[str, ...]:
        file = self.root / "class_names.txt"
        if not file.is_file():
            return VOC_CLASSES
        try:
            names = without_background(file.read_text(encoding="utf-8").splitlines())
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
        if not names:
            raise DataError(f"{file}: no class name in it; write one a line, the background first")
        return names

    def _files(self, folder: str, types: tuple[str, ...]) -> dict[str, Path]:
        return {file.stem: file for file in sorted((self.root / folder).iterdir()) if file.suffix.lower() in types}

    def _listed(self, split: str | None) -> tuple[list[str], str | None]:
        """The samples' names, and the split they are of; None where the folder has no splits."""
        lists = self.root / "ImageSets" / "Segmentation"
        file = lists / f"{split or 'train'}.txt"
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            return [line.split()[0] for line in lines if line.strip()], split or "train"
        if split is not None:  # never all images in its stead: held-out ones would be trained on
            known = ", ".join(sorted(each.stem for each in lists.glob("*.txt"))) or "none"
            raise DataError(f"{self.root}: no split {split!r} in ImageSets/Segmentation; there are: {known}")
        # an image without a mask is an error, not a sample that silently disappears
        return sorted(self._images), None

"""Folders of colour and depth pairs: NYU-like, and KITTI's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_dm.errors import DataError
from dataset_dm.readers.depth_file import DEPTH_TYPES, read_depth
from dataset_dm.readers.folder_set import Entry, FolderSet, Pairing
from dataset_dm.readers.images import IMAGE_TYPES, read_image
from dataset_dm.readers.labelled import LabelledImage, no_split, without_background

_TRUTH = "proj_depth/groundtruth"


@dataclass(frozen=True)
class DepthLayout:
    """One kind of depth folder.

    Args:
        name: of the layout.
        pairing: what the two folders may be called.
        unit: metres of one unit of a whole number, unless the user states it.
    """

    name: str
    pairing: Pairing
    unit: float


def _layout(name: str, images: tuple[str, ...], depths: tuple[str, ...], unit: float) -> DepthLayout:
    return DepthLayout(name, Pairing(what="depth", images=images, labels=depths, types=DEPTH_TYPES), unit)


NYU = _layout("nyu", ("color", "colors", "rgb", "images", "image"), ("depth", "depths", "sync_depth"), 1 / 1000)
KITTI = _layout("kitti", ("image", "images", "rgb"), ("groundtruth", "groundtruth_depth"), 1 / 256)


class DepthFolder(FolderSet):
    """Images and depth maps of one split.

    Args:
        root: the folder.
        layout: `NYU` or `KITTI`.
        split: a folder of that name above or below those of the images and depths; default "train" if there is one.
        classes: the set has no labels of them; the names are for a decoder that reads other tasks too.
        depth_scale: metres of one unit of the files; default that of the layout for whole numbers, 1 for others.

    Raises:
        DataError: no such folders, or not that split.
    """

    def __init__(
        self,
        root: str | Path,
        layout: DepthLayout = NYU,
        *,
        split: str | None = None,
        classes: Sequence[str] | None = None,
        depth_scale: float | None = None,
    ) -> None:
        self._layout, self._scale = layout, depth_scale
        found = layout.pairing.find(Path(root), split)
        if found is None and layout is KITTI and _has_drives(Path(root)):
            found = _drives(Path(root), split)
        if found is None:
            pairs = f"{'|'.join(layout.pairing.images)} and {'|'.join(layout.pairing.labels)}"
            raise DataError(f"{root}: no folders of the {layout.name} layout; expected {pairs}")
        entries, listed = found
        scale = f"depth ×{depth_scale or 'default'}"
        super().__init__(entries, without_background(classes or ()), ("depth",), root, listed, scale)

    def read(self, entry: Entry) -> LabelledImage:
        file = entry.files["depth"]
        name = f"image {entry.name!r} ({file.name})"
        depth = read_depth(file, name, self._scale, self._layout.unit)
        image = read_image(entry.files["image"], name, depth.shape, "depth")
        return LabelledImage(entry.name, image, None, depth=depth)


def looks_like_depth(root: Path, layout: DepthLayout) -> bool:
    """Whether a folder has the pairs of this layout."""
    return (layout is KITTI and _has_drives(root)) or layout.pairing.fits(root)


def _has_drives(root: Path) -> bool:
    """Whether a folder has KITTI's own drives, with their depths at proj_depth/groundtruth."""
    return next(_below(root, _TRUTH), None) is not None


def _drives(root: Path, split: str | None) -> tuple[list[Entry], str | None]:
    """(samples, split): …/<drive>/proj_depth/groundtruth/image_02/*.png with …/<drive>/image_02/data/*.

    There is one sample for each depth: the first and last images of a drive have none.
    """
    images = {
        (file.parents[2].name, file.parents[1].name, file.stem): file
        for file in _below(root, "image_0[23]/data/*")
        if file.suffix.lower() in IMAGE_TYPES
    }
    depths = sorted(_below(root, f"{_TRUTH}/image_0[23]/*.png"))
    # a split is a folder between the root and the drive
    splits = {file: file.relative_to(root).parts[:-5] for file in depths}
    known = sorted({part for parts in splits.values() for part in parts})
    chosen = split or ("train" if "train" in known else None)
    if chosen is not None and chosen not in known:
        raise no_split(root, chosen, known)
    entries = []
    for depth in (file for file in depths if chosen is None or chosen in splits[file]):
        drive, camera = depth.parents[3], depth.parent.name
        frame = (drive.name, camera, depth.stem)
        expected = drive / camera / "data" / f"{depth.stem}.png"
        entries.append(Entry("/".join(frame), {"image": images.get(frame, expected), "depth": depth}))
    return entries, chosen


def _below(root: Path, pattern: str) -> Iterator[Path]:
    """Matches of a pattern in a folder and up to three levels below it."""
    return (file for above in ("", "*/", "*/*/", "*/*/*/") for file in root.glob(above + pattern))

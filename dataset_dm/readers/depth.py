"""Folders of colour and depth pairs: NYU-like, and KITTI's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_dm.errors import DataError, did_you_mean
from dataset_dm.readers.depth_file import DEPTH_TYPES, read_depth
from dataset_dm.readers.folder_set import Entry, FolderSet, find_pair, pair
from dataset_dm.readers.images import IMAGE_TYPES, read_image
from dataset_dm.readers.labelled import LabelledImage, fits, without_background

_TRUTH = "proj_depth/groundtruth"


@dataclass(frozen=True)
class DepthLayout:
    """What tells one kind of depth folder from another.

    Args:
        name: of the layout.
        images, depths: what the two folders may be called.
        unit: metres of one unit of a whole number, unless the user states it.
    """

    name: str
    images: tuple[str, ...]
    depths: tuple[str, ...]
    unit: float


NYU = DepthLayout("nyu", ("color", "colors", "rgb", "images", "image"), ("depth", "depths", "sync_depth"), 1 / 1000)
KITTI = DepthLayout("kitti", ("image", "images", "rgb"), ("groundtruth", "groundtruth_depth"), 1 / 256)


class DepthFolder(FolderSet):
    """Images and depth maps of one split.

    Args:
        root: the folder.
        layout: `NYU` or `KITTI`.
        split: a folder of that name above or below those of the images and depths; default "train" if there is one.
        classes: has no labels here; the words are told to a decoder that reads other tasks too.
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
        found = find_pair(Path(root), split, layout.images, layout.depths, DEPTH_TYPES)
        if found is not None:
            images, depths, listed = found
            entries = pair(images, depths, DEPTH_TYPES, "depth")
        elif layout is KITTI and looks_like_kitti_drives(Path(root)):
            entries, listed = _drives(Path(root), split)
        else:
            pairs = f"{'|'.join(layout.images)} and {'|'.join(layout.depths)}"
            raise DataError(f"{root}: no folders of the {layout.name} layout; expected {pairs}")
        source = " ".join([str(root), *([listed] if listed else []), f"depth ×{depth_scale or 'default'}"])
        super().__init__(entries, without_background(classes or ()), source, ("depth",))

    def read(self, entry: Entry) -> LabelledImage:
        file = entry.files["depth"]
        name = f"image {entry.name!r} ({file.name})"
        depth = read_depth(file, name, self._scale, self._layout.unit)
        height, width = depth.shape
        image = read_image(entry.files["image"], name, (height, width))
        fits(image, depth.shape, "depth", name)
        return LabelledImage(entry.name, image, None, depth=depth)


def looks_like(root: Path, layout: DepthLayout) -> bool:
    """Whether a folder has the pairs of this layout."""
    if layout is KITTI and looks_like_kitti_drives(root):
        return True
    try:
        return find_pair(root, None, layout.images, layout.depths, DEPTH_TYPES) is not None
    except DataError:  # it has, in several splits
        return True


def looks_like_kitti_drives(root: Path) -> bool:
    """Whether a folder has KITTI's own drives, with their depths at proj_depth/groundtruth."""
    return any(next(root.glob(f"{above}{_TRUTH}"), None) is not None for above in ("", "*/", "*/*/", "*/*/*/"))


def _drives(root: Path, split: str | None) -> tuple[list[Entry], str | None]:
    """Pairs of …/<drive>/proj_depth/groundtruth/image_02/*.png and …/<drive>/image_02/data/*; a drive's first and last
    images have no depth, so the depths say what there is."""
    images = {
        _frame(file, 2): file for file in _below(root, "image_0[23]/data/*") if file.suffix.lower() in IMAGE_TYPES
    }
    depths = sorted(_below(root, f"{_TRUTH}/image_0[23]/*.png"))
    # a split is a folder between the root and the drive
    splits = {file: file.relative_to(root).parts[:-5] for file in depths}
    known = sorted({part for parts in splits.values() for part in parts})
    chosen = split or ("train" if "train" in known else None)
    if chosen is not None and chosen not in known:
        said = f"there are: {', '.join(known) or 'none'}{did_you_mean(chosen, known)}"
        raise DataError(f"{root}: no split {chosen!r}; {said}")
    entries = []
    for depth in (file for file in depths if chosen is None or chosen in splits[file]):
        drive, camera, stem = frame = (depth.parents[3].name, depth.parent.name, depth.stem)
        expected = depth.parents[3] / camera / "data" / f"{stem}.png"
        entries.append(Entry("/".join(frame), {"image": images.get(frame, expected), "depth": depth}))
    return entries, chosen


def _below(root: Path, pattern: str) -> list[Path]:
    return [file for above in ("", "*/", "*/*/", "*/*/*/") for file in root.glob(above + pattern)]


def _frame(image: Path, up: int) -> tuple[str, str, str]:
    """(drive, camera, number) of …/<drive>/<camera>/data/<number>.png."""
    return image.parents[up].name, image.parents[up - 1].name, image.stem

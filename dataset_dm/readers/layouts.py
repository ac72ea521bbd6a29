"""The layouts of labelled data that are known: how each is told, and which reader opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_dm.readers.labelled import LabelledSet


@dataclass(frozen=True)
class Asked:
    """What was asked for, as of `open_labelled`."""

    source: str
    split: str | None = None
    classes: Sequence[str] | None = None
    depth_scale: float | None = None

    @property
    def path(self) -> Path:
        return Path(self.source).expanduser()


@dataclass(frozen=True)
class Layout:
    """One layout.

    Args:
        shape: what a folder of it has, for messages.
        fits: whether a path looks like it.
        open: the reader.
    """

    shape: str
    fits: Callable[[Path], bool]
    open: Callable[[Asked], LabelledSet]


def _voc(path: Path) -> bool:
    return (path / "JPEGImages").is_dir() or (path / "SegmentationClass").is_dir()


def _open_voc(asked: Asked) -> LabelledSet:
    from dataset_dm.readers.voc import VocFolder

    return VocFolder(asked.path, split=asked.split, classes=asked.classes)


def _coco(path: Path) -> bool:
    from dataset_dm.readers.coco_files import looks_like_coco

    return looks_like_coco(path)


def _open_coco(asked: Asked) -> LabelledSet:
    from dataset_dm.readers.coco import CocoSet

    return CocoSet(asked.path, split=asked.split, classes=asked.classes)


def _cityscapes(path: Path) -> bool:
    return (path / "leftImg8bit").is_dir()


def _open_cityscapes(asked: Asked) -> LabelledSet:
    from dataset_dm.readers.cityscapes import CityscapesFolder

    return CityscapesFolder(asked.path, split=asked.split, classes=asked.classes)


def _is_depth(name: str) -> Callable[[Path], bool]:
    def fits(path: Path) -> bool:
        from dataset_dm.readers import depth

        return depth.looks_like(path, {"nyu": depth.NYU, "kitti": depth.KITTI}[name])

    return fits


def _open_depth(name: str) -> Callable[[Asked], LabelledSet]:
    def open_it(asked: Asked) -> LabelledSet:
        from dataset_dm.readers import depth

        layout = {"nyu": depth.NYU, "kitti": depth.KITTI}[name]
        return depth.DepthFolder(
            asked.path, layout, split=asked.split, classes=asked.classes, depth_scale=asked.depth_scale
        )

    return open_it


def _parsing(path: Path) -> bool:
    from dataset_dm.readers.parsing import looks_like_parsing

    return not _has_rows(path) and looks_like_parsing(path)


def _has_rows(path: Path) -> bool:
    """Whether the folder is one for `datasets` to read."""
    return any(next(path.glob(pattern), None) for pattern in ("*.parquet", "*/*.parquet", "metadata.*", "*/metadata.*"))


def _open_parsing(asked: Asked) -> LabelledSet:
    from dataset_dm.readers.parsing import ParsingFolder

    return ParsingFolder(asked.path, split=asked.split, classes=asked.classes)


def _hub(path: Path) -> bool:
    return path.exists()


def _open_hub(asked: Asked) -> LabelledSet:
    from dataset_dm.readers.hub import HubSet, NotLoadable

    try:
        return HubSet(asked.source, split=asked.split, classes=asked.classes, depth_scale=asked.depth_scale)
    except NotLoadable as error:
        if not asked.path.exists():
            raise
        others = "; ".join(f"{layout}: {one.shape}" for layout, one in LAYOUTS.items() if layout != "hub")
        raise NotLoadable(f"{error}; it has no other known layout either: {others}") from error


# the first that fits is taken
LAYOUTS: dict[str, Layout] = {
    "voc": Layout("JPEGImages and SegmentationClass", _voc, _open_voc),
    "cityscapes": Layout("leftImg8bit and gtFine", _cityscapes, _open_cityscapes),
    "coco": Layout("annotations/*.json, also LVIS", _coco, _open_coco),
    "nyu": Layout("color and depth", _is_depth("nyu"), _open_depth("nyu")),
    "kitti": Layout("image and groundtruth, or drives", _is_depth("kitti"), _open_depth("kitti")),
    "parsing": Layout("images and segm, with class_names.txt", _parsing, _open_parsing),
    "hub": Layout("a dataset folder or a Hub id", _hub, _open_hub),
}

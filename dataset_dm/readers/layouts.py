"""The layouts of labelled data that can be read: how each is recognised, and the reader that opens it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.readers.cityscapes import CityscapesFolder
from dataset_dm.readers.coco import CocoSet
from dataset_dm.readers.coco_files import looks_like_coco
from dataset_dm.readers.depth import KITTI, NYU, DepthFolder, looks_like_depth
from dataset_dm.readers.hub import HubSet, NotLoadable
from dataset_dm.readers.labelled import LabelledSet
from dataset_dm.readers.parsing import ParsingFolder, looks_like_parsing
from dataset_dm.readers.voc import VocFolder


@dataclass(frozen=True)
class Layout:
    """One layout.

    Args:
        shape: what a folder of it has, for messages.
        fits: whether a path looks like it.
        reader: called with a place, `split` and `classes`.
        scaled: the reader also takes `depth_scale`.
        by_name: the reader takes the source as it was given, which may be a Hub id, instead of a path.
    """

    shape: str
    fits: Callable[[Path], bool]
    reader: Callable[..., LabelledSet]
    scaled: bool = False
    by_name: bool = False

    def open(
        self, source: str, split: str | None, classes: Sequence[str] | None, depth_scale: float | None
    ) -> LabelledSet:
        """The set at `source`; DataError when it has another layout."""
        options: dict[str, Any] = {"split": split, "classes": classes}
        if self.scaled:
            options["depth_scale"] = depth_scale
        return self.reader(source if self.by_name else Path(source).expanduser(), **options)


def _is_voc(path: Path) -> bool:
    return (path / "JPEGImages").is_dir() or (path / "SegmentationClass").is_dir()


def _is_parsing(path: Path) -> bool:
    for_datasets = ("*.parquet", "*/*.parquet", "metadata.*", "*/metadata.*")
    return not any(next(path.glob(pattern), None) for pattern in for_datasets) and looks_like_parsing(path)


def _open_hub(source: str, **options: Any) -> LabelledSet:
    try:
        return HubSet(source, **options)
    except NotLoadable as error:
        if not Path(source).expanduser().exists():
            raise
        others = "; ".join(f"{name}: {layout.shape}" for name, layout in LAYOUTS.items() if name != "hub")
        raise NotLoadable(f"{error}; it has no other known layout either: {others}") from error


def _depth(shape: str, layout: Any) -> Layout:
    fits = functools.partial(looks_like_depth, layout=layout)
    return Layout(shape, fits, functools.partial(DepthFolder, layout=layout), scaled=True)


# the first that fits is taken
LAYOUTS: dict[str, Layout] = {
    "voc": Layout("JPEGImages and SegmentationClass", _is_voc, VocFolder),
    "cityscapes": Layout("leftImg8bit and gtFine", lambda path: (path / "leftImg8bit").is_dir(), CityscapesFolder),
    "coco": Layout("annotations/*.json, also LVIS", looks_like_coco, CocoSet),
    "nyu": _depth("color and depth", NYU),
    "kitti": _depth("image and groundtruth, or drives", KITTI),
    "parsing": Layout("images and segm, with class_names.txt", _is_parsing, ParsingFolder),
    "hub": Layout("a dataset folder or a Hub id", Path.exists, _open_hub, scaled=True, by_name=True),
}

"""Readers of labelled images: VOC, COCO, LVIS, Cityscapes, depth and parsing folders, Hugging Face datasets, and the
renders of Miniature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_dm.checks import check_choice, check_number
from dataset_dm.errors import DataError, explain
from dataset_dm.readers.checked import Checked
from dataset_dm.readers.folder_set import FolderSet
from dataset_dm.readers.labelled import LabelledImage, LabelledSet, SampleError, Subset
from dataset_dm.readers.layouts import LAYOUTS

__all__ = [
    "LAYOUTS",
    "Checked",
    "LabelledImage",
    "LabelledSet",
    "SampleError",
    "Subset",
    "open_labelled",
    "split_off",
]

ON_ERROR = ("raise", "skip")


def open_labelled(
    source: str | Path,
    *,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    count: int | None = None,
    on_error: str = "raise",
    depth_scale: float | None = None,
    format: str | None = None,
) -> LabelledSet:
    """The labelled images behind ``--data``.

    Args:
        source: "miniature", a folder or a file in one of the `LAYOUTS`, or a Hub id (``id@revision``).
        split: its split; default "train" where there is one.
        classes: class names without background, in the order of the ids; default the source's own.
        count: the number of images, default all; the first ones, and of miniature's train split a balanced choice
            (default 100).
        on_error: "raise": a damaged sample raises when it is read. "skip": every sample is read now; the damaged ones
            are left out and counted by reason in ``skipped``.
        depth_scale: metres of one unit of depth files; default 1/1000 for whole numbers, 1/256 in KITTI's layout.
        format: the layout's name; default the first that fits.

    Raises:
        ConfigError: an unknown format or on_error, or a depth_scale that is no positive number.
        DataError: the source is missing, or not labelled.

    Example:
        >>> found = open_labelled("coco", split="train", classes=["person", "dog"], on_error="skip")
        >>> found.kinds, found.skipped
        (('semantic', 'instance', 'pose'), Counter({'missing file': 2}))
    """
    check_choice("on_error", on_error, ON_ERROR)
    if depth_scale is not None:
        check_number("depth_scale", depth_scale, 0, above=True, expected="metres of one unit, such as 0.001")
    if format is not None:
        check_choice("format", format, LAYOUTS)
    name = str(source)
    if name == "miniature":
        from dataset_dm.readers.miniature import labelled_renders

        if classes:
            remedy = "leave --classes out, or train on a folder of your own"
            raise DataError(explain("classes of miniature", got=list(classes), expected="its own 20", remedy=remedy))
        return labelled_renders(split or "train", 100 if count is None else count)
    found = LAYOUTS[format or _guess(name)].open(name, split, classes, depth_scale)
    if not len(found):
        raise DataError(f"data {name!r}: there is no labelled image in it; check the folder or the split")
    if on_error == "skip":
        return Checked(found, count)
    if isinstance(found, FolderSet):
        found.complete(count)
    return found if count is None else Subset(found, range(min(count, len(found))))


def _guess(source: str) -> str:
    """The name of the first layout that a source fits."""
    path = Path(source).expanduser()
    if path.exists():
        return next(name for name, layout in LAYOUTS.items() if layout.fits(path))
    if source.count("/") == 1 and not path.suffix == ".json":
        return "hub"
    known = "; ".join(f"{name}: {layout.shape}" for name, layout in LAYOUTS.items())
    expected = f"'miniature', a VOC folder, or another layout ({known})"
    raise DataError(explain("data", got=source, expected=expected, remedy="check the path"))


def split_off(labelled: LabelledSet, share: float) -> tuple[LabelledSet, LabelledSet]:
    """(training part, held-out part): every n-th image is held out, at least one if there are two or more."""
    total = len(labelled)
    if total < 2:
        return labelled, labelled
    step = max(2, round(1 / share)) if share > 0 else total
    held = set(range(step - 1, total, step)) or {total - 1}
    return Subset(labelled, [i for i in range(total) if i not in held]), Subset(labelled, sorted(held))

"""Labelled images to learn from: a VOC folder, any Hugging Face dataset, or Miniature's own renders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_dm.errors import DataError, explain
from dataset_dm.training.data.labelled import LabelledImage, LabelledSet, Subset

__all__ = ["LabelledImage", "LabelledSet", "Subset", "open_labelled", "split_off"]


def open_labelled(
    source: str | Path, *, split: str | None = None, classes: Sequence[str] | None = None, count: int | None = None
) -> LabelledSet:
    """The labelled images behind ``--data``.

    Args:
        source: "miniature", a VOC folder, a folder of images that `datasets` reads, or a Hub id (``id@revision``).
        split: its split; default "train" where there is one.
        classes: class names without background, in the order of the ids; default the source's own.
        count: take the first so many; for "miniature" default 100, else all.

    Raises:
        DataError: nothing there, or it is not labelled.
    """
    name = str(source)
    path = Path(name).expanduser()
    if name == "miniature":
        from dataset_dm.training.data.miniature import MiniatureSet

        if classes:
            remedy = "leave --classes out, or train on a folder of your own"
            raise DataError(explain("classes of miniature", got=list(classes), expected="its own 20", remedy=remedy))
        return MiniatureSet(split or "train", 100 if count is None else count)
    if (path / "JPEGImages").is_dir() or (path / "SegmentationClass").is_dir():
        from dataset_dm.training.data.voc import VocFolder

        found: LabelledSet = VocFolder(path, split=split, classes=classes)
    elif path.exists() or name.count("/") == 1:
        from dataset_dm.training.data.hub import HubSet

        found = HubSet(name, split=split, classes=classes)
    else:
        expected = "'miniature', a VOC folder (JPEGImages, SegmentationClass), a dataset folder or a Hub id"
        raise DataError(explain("data", got=name, expected=expected, remedy="check the path"))
    if not len(found):
        raise DataError(f"data {name!r}: there is no labelled image in it; check the folder or the split")
    return found if count is None else Subset(found, range(min(count, len(found))))


def split_off(labelled: LabelledSet, share: float) -> tuple[LabelledSet, LabelledSet]:
    """(training part, held-out part): every n-th image is held out, at least one if there are two or more."""
    total = len(labelled)
    if total < 2:
        return labelled, labelled
    step = max(2, round(1 / share)) if share > 0 else total
    held = set(range(step - 1, total, step)) or {total - 1}
    return Subset(labelled, [i for i in range(total) if i not in held]), Subset(labelled, sorted(held))

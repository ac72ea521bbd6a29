"""Writes a set in another format, completely or not at all, and counts the labels that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataset_dm.errors import StoreError, explain
from dataset_dm.exports.base import Format
from dataset_dm.exports.formats import find_format
from dataset_dm.exports.open_dataset import Source, open_source
from dataset_dm.exports.sample import Sample
from dataset_dm.files.atomic import store_error
from dataset_dm.store.output_folder import OutFolder


@dataclass
class Exported:
    """The result of an export.

    Args:
        folder: the new folder.
        rows: split → images.
        lost: name of a `Loss` → how many labels of that kind are not in the files; only those that occur.
    """

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def export_set(
    source: str | Path,
    format: str,
    out: str | Path,
    *,
    config: str | None = None,
    splits: Sequence[str] | None = None,
) -> Exported:
    """Write a set to a new folder in the format of another tool or trainer.

    Args:
        source: a folder that `generate(…, out=DIR)` wrote, or a dataset with its columns: name, Hub id, saved folder.
        format: coco, yolo, yolo-seg, yolo-pose, voc, cityscapes, label-studio or cvat.
        out: the folder, new or empty.
        config: config of a dataset's name (default: its own).
        splits: default: all.

    Returns:
        The folder, its rows by split, and what the format cannot represent (`lost`).

    Raises:
        UserError: an unknown format or split, a set without the columns that the format needs, `out` is not empty.

    Examples:
        >>> done = export("voc4", "voc", "voc4_folder")
        >>> done.rows, done.lost
        (Counter({'train': 4}), Counter())
    """
    chosen = find_format(format)
    out = empty_folder(Path(out))
    opened = open_for(chosen, str(source), config)
    done = Exported(out)
    with OutFolder(out, {"export": chosen.name, "source": opened.name}) as folder:
        try:
            wanted = set(opened.splits) if splits is None else {opened.split(name) for name in splits}
            parts = {
                split: chosen.write(folder.partial, split, _counted(opened, split, chosen, done), opened.classes)
                for split in opened.splits
                if split in wanted
            }
            chosen.finish(folder.partial, parts, opened.classes)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise store_error(out, error) from error
        folder.publish()
    return done


def open_for(chosen: Format, source: str, config: str | None) -> Source:
    """The set, whose classes and columns suit the format; DataError otherwise."""
    opened = open_source(source, config)
    opened.require(chosen.needs, chosen.title)
    chosen.check(opened.classes, opened.columns)
    return opened


def empty_folder(out: Path) -> Path:
    """The absolute path of a folder that does not exist or is empty; StoreError for any other."""
    out = out.expanduser().absolute()
    if out.is_dir() and not out.is_symlink() and any(out.iterdir()):
        raise StoreError(explain(f"--out {out}: the folder is not empty", remedy="take another folder"))
    return out


def _counted(source: Source, split: str, chosen: Format, done: Exported) -> Iterator[Sample]:
    """The samples of a split; counts them and their unsupported labels in `done`."""
    for _, sample in source.rows(split):
        done.rows[split] += 1
        for kind in chosen.unsupported:
            count = kind.count(sample, source.classes)
            if count:
                done.lost[kind.name] += count
        yield sample

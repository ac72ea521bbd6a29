"""Writing a set in another format: whole or not at all, and with a count of what the format left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataset_dm.errors import DataError, StoreError, did_you_mean, explain
from dataset_dm.exports.formats import cannot_hold, find_format
from dataset_dm.exports.open_dataset import Source, open_source
from dataset_dm.exports.sample import Sample
from dataset_dm.exports.unsupported import Loss
from dataset_dm.files.atomic import store_error
from dataset_dm.store.output_folder import OutFolder


@dataclass
class Exported:
    """What became of a set.

    Args:
        folder: where it lies.
        rows: split → images.
        lost: name of a `Loss` → how many of it the files do not have; nothing that was not lost.
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
    opened = open_source(str(source), config)
    chosen.check(opened.classes_for(chosen.needs, chosen.title), opened.columns)
    done = Exported(out)
    with OutFolder(out, {"export": chosen.name, "source": opened.name}) as folder:
        try:
            named = chosen_splits(opened, splits)
            for split in named:
                samples = _counted(opened, split, cannot_hold(chosen), done)
                chosen.write(folder.partial, split, samples, opened.classes)
            chosen.finish(folder.partial, named, opened.classes)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise store_error(out, error) from error
        folder.publish()
    return done


def empty_folder(out: Path) -> Path:
    """The folder to make; StoreError when it is there and not empty."""
    out = out.expanduser().absolute()
    if out.is_dir() and not out.is_symlink() and any(out.iterdir()):
        raise StoreError(explain(f"--out {out}: the folder is not empty", remedy="take another folder"))
    return out


def chosen_splits(source: Source, asked: Sequence[str] | None) -> list[str]:
    """The splits asked for, in the set's order; DataError for one that it has not."""
    for name in asked or ():
        if name not in source.splits:
            expected = f"one of {', '.join(source.splits)}"
            raise DataError(explain("--split", got=name, expected=expected) + did_you_mean(name, source.splits))
    return [name for name in source.splits if asked is None or name in asked]


def _counted(source: Source, split: str, kinds: Sequence[Loss], done: Exported) -> Iterator[Sample]:
    """The samples of a split, while they are counted, and what is lost of them."""
    for _, sample in source.rows(split):
        done.rows[split] += 1
        for kind in kinds:
            count = kind.count(sample, source.classes)
            if count:
                done.lost[kind.name] += count
        yield sample

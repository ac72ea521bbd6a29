"""Imports corrected files as a new version of the set; the old version stays unchanged.

The new folder has the rows of the old one in their order. A row whose image is among the files is reviewed: its
provenance names the review, and its labels are merged with those in the files (see `merge`). All other rows, and all
other columns, are copied.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.exports.base import Format, Reviewed
from dataset_dm.exports.export_set import empty_folder, open_for
from dataset_dm.exports.formats import find_format
from dataset_dm.exports.merge import Merged, merge
from dataset_dm.exports.open_dataset import Source, is_dict_of_lists
from dataset_dm.exports.sample import Sample, file_name
from dataset_dm.exports.tables import Record
from dataset_dm.exports.write_back import rewrite
from dataset_dm.store.output_folder import OutFolder

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.hub import CardFacts

_BATCH = 64  # rows of an Arrow table
_PREVIEW_ROWS = 12


@dataclass
class Imported:
    """The changes of a review.

    Args:
        folder: the new version.
        rows, reviewed: number of images of the set, and of those in the files.
        counts: rows changed, objects changed, added and removed, objects without a mask, class maps changed.
        shown: the first rows, for the preview.
    """

    folder: Path
    rows: int = 0
    reviewed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Record] = field(default_factory=list)


def import_set(
    files: str | Path, format: str, source: str | Path, out: str | Path, *, config: str | None = None
) -> Imported:
    """Write a new version of a set with the labels of corrected files; the set itself is not changed.

    Args:
        files: the folder, or the single file, as `export` writes it or as the tool exports it.
        format: as in `export`.
        source: the set that was exported.
        out: the folder of the new version, new or empty.
        config: config of a dataset's name (default: its own).

    Returns:
        The folder, the number of reviewed rows, and counts of the changes.

    Raises:
        UserError: unknown images or classes, missing boxes, masks of another size, `out` is not empty. Nothing is
            written then.

    Examples:
        >>> done = import_labels("voc4_folder", "voc", "voc4", "voc4_reviewed")
        >>> done.reviewed, done.rows
        (4, 4)
    """
    chosen = find_format(format)
    out = empty_folder(Path(out))
    files, source = Path(files).expanduser(), str(source)
    if not files.exists():
        raise DataError(explain("FOLDER", got=str(files), expected="a folder or file with corrected labels"))
    opened = open_for(chosen, source, config)
    _check_columns(opened)
    reviewed = chosen.read(files, opened.classes)
    _check_names(reviewed, opened)
    done = Imported(out)
    identity = {**opened.identity, "reviewed": f"{chosen.name} {opened.identity.get('reviewed', '')}".strip()}
    with OutFolder(out, identity) as folder:
        for split in opened.splits:
            folder.write_split(split, _tables(opened, split, chosen, reviewed, done), opened.schema)
        _describe(folder, opened, chosen, done)
        folder.publish()
    return done


def _check_columns(source: Source) -> None:
    if "annotator" not in (source.features.get("provenance") or {}):
        expected = "a column provenance with its field annotator, which names the review"
        raise DataError(explain(f"{source.name}: no provenance", got=", ".join(source.features), expected=expected))
    if "objects" in source.features and not is_dict_of_lists(source.features["objects"]):
        expected = "a dict of lists, as dataset-dm writes it"
        raise DataError(explain(f"{source.name}: objects is a list of dicts", expected=expected))


def _check_names(reviewed: Reviewed, source: Source) -> None:
    """DataError for an image that the set does not have, before anything is written."""
    known = {file_name(split, index) for split in source.splits for index in source.indices(split)}
    unknown = [name for name in reviewed.entries if name not in known]
    if unknown:
        what = f"{len(unknown)} unknown image{'s' if len(unknown) > 1 else ''}, the first {unknown[0]!r}"
        expected = f"names of {source.name}, such as {min(known, default='none')!r}"
        raise DataError(explain(what, expected=expected) + did_you_mean(unknown[0], known))


def _tables(source: Source, split: str, chosen: Format, reviewed: Reviewed, done: Imported) -> Iterator[pa.Table]:
    import pyarrow as pa

    rows = (_row(row, sample, source, chosen, reviewed, done) for row, sample in source.rows(split))
    while batch := list(islice(rows, _BATCH)):
        yield pa.Table.from_pylist(batch, schema=source.schema)


def _row(row: Record, sample: Sample, source: Source, chosen: Format, reviewed: Reviewed, done: Imported) -> Record:
    """A row of the new version, counted in `done`."""
    done.rows += 1
    if sample.name in reviewed.entries:
        done.reviewed += 1
        found = reviewed.labels(sample.name, sample.size)
        merged = merge(sample.labels, chosen.round_trip(sample, source.classes), found, sample.size)
        _count(merged, done.counts)
        row = rewrite(row, sample, merged, chosen.name)
    if len(done.shown) < _PREVIEW_ROWS:
        done.shown.append(row)
    return row


def _count(merged: Merged, counts: Counter[str]) -> None:
    new = [kept for kept in merged.instances or () if kept.changed]
    counts.update(
        {
            "images changed": int(merged.changed),
            "objects changed": sum(kept.place is not None for kept in new),
            "objects added": sum(kept.place is None for kept in new),
            "objects removed": merged.removed,
            "objects without a mask": sum(kept.instance.mask is None for kept in new),
            "class maps changed": int(merged.label is not None),
        }
    )


def _describe(folder: OutFolder, source: Source, chosen: Format, done: Imported) -> None:
    """Card and preview, as `generate` writes them."""
    from dataset_dm.hub import write_card
    from dataset_dm.labels.vocabulary import BACKGROUND
    from dataset_dm.visualization.sheet import read_row, sheet

    title = f"{source.title} · reviewed · {done.rows:,} images"
    names = [BACKGROUND, *source.classes]
    if done.shown:
        shown = [read_row(row, i) for i, row in enumerate(done.shown)]
        sheet(shown, names, title).save(folder.partial / "preview.png", format="PNG")
    write_card(folder.partial, _facts(source, names, chosen, done))


def _facts(source: Source, names: list[str], chosen: Format, done: Imported) -> CardFacts:
    """The facts of the set itself, such as its generator and terms, with the changes of the review."""
    from dataset_dm.hub import CardFacts
    from dataset_dm.hub.card_facts import PLAN, read_facts

    command = shlex.join(["dataset-dm", *sys.argv[1:]])
    changes = {name: number for name, number in done.counts.items() if number}
    review = {"source": source.title, "reviewed by": chosen.title, "rows reviewed": done.reviewed, **changes}
    folder = Path(source.name).expanduser()
    if (folder / PLAN).is_file():
        facts = read_facts(folder)
        commands = f"{facts.command}\n{command}"
        return replace(facts, command=commands, settings={**facts.settings, **review}, classes=names)
    return CardFacts(
        name=str(source.identity.get("dataset", source.title)),
        config=str(source.identity.get("config", "default")),
        command=command,
        settings=review,
        classes=names,
    )

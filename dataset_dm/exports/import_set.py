"""Bringing corrected files back: a new version of the set, the old one stays as it is.

The new folder has the rows of the old one in their order. A row whose image is among the files is reviewed: its
provenance says so, and its labels are merged with what the files say (see `merge`). All other rows, and all other
columns, pass as they are.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.exports.base import Format, Reviewed
from dataset_dm.exports.export_set import empty_folder
from dataset_dm.exports.formats import find_format
from dataset_dm.exports.merge import Merged, merge
from dataset_dm.exports.open_dataset import Source, is_dict_of_lists, open_source
from dataset_dm.exports.sample import Sample, file_name
from dataset_dm.exports.write_back import rewrite
from dataset_dm.store.output_folder import OutFolder

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.hub import CardFacts

_BATCH = 64  # rows a table
_PREVIEW_ROWS = 12


@dataclass
class Imported:
    """What the review changed.

    Args:
        folder: where the new version lies.
        rows, reviewed: images of the set, and those that the files speak of.
        counts: rows changed, objects changed, added and removed, objects without a mask, class maps changed.
    """

    folder: Path
    rows: int = 0
    reviewed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, Any]] = field(default_factory=list)


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
    opened = open_source(source, config)
    chosen.check(opened.classes_for(chosen.needs, chosen.title), opened.columns)
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
        expected = "a column provenance with its field annotator, to say that a row was reviewed"
        raise DataError(explain(f"{source.name}: no provenance", got=", ".join(source.features), expected=expected))
    if "objects" in source.features and not is_dict_of_lists(source.features["objects"]):
        expected = "a dict of lists, as dataset-dm writes it"
        raise DataError(explain(f"{source.name}: objects is a list of dicts", expected=expected))


def _check_names(reviewed: Reviewed, source: Source) -> None:
    """DataError for an image that the set has not, before anything is written."""
    known = {file_name(split, index) for split in source.splits for index in source.indices(split)}
    unknown = [name for name in reviewed.names if name not in known]
    if unknown:
        what = f"{len(unknown)} unknown image{'s' if len(unknown) > 1 else ''}, the first {unknown[0]!r}"
        expected = f"names of {source.name}, such as {min(known, default='none')!r}"
        raise DataError(explain(what, expected=expected) + did_you_mean(unknown[0], known))


def _tables(source: Source, split: str, chosen: Format, reviewed: Reviewed, done: Imported) -> Iterator[pa.Table]:
    import pyarrow as pa

    names = set(reviewed.names)
    rows: list[dict[str, Any]] = []
    for row, sample in source.rows(split):
        done.rows += 1
        if sample.name in names:
            row = _review(row, sample, source, chosen, reviewed, done)
        if len(done.shown) < _PREVIEW_ROWS:
            done.shown.append(row)
        rows.append(row)
        if len(rows) == _BATCH:
            yield pa.Table.from_pylist(rows, schema=source.schema)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema=source.schema)


def _review(
    row: dict[str, Any], sample: Sample, source: Source, chosen: Format, reviewed: Reviewed, done: Imported
) -> dict[str, Any]:
    done.reviewed += 1
    found = reviewed.labels(sample.name, sample.size)
    merged = merge(sample.labels, chosen.seen(sample, source.classes), found, sample.size)
    _count(merged, done.counts)
    return rewrite(row, sample, merged, chosen.name)


def _count(merged: Merged, counts: Counter[str]) -> None:
    new = [one for one in merged.instances or () if one.changed]
    counts.update(
        {
            "images changed": int(merged.changed),
            "objects changed": sum(one.place is not None for one in new),
            "objects added": sum(one.place is None for one in new),
            "objects removed": merged.removed,
            "objects without a mask": sum(one.instance.mask is None for one in new),
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
    """What was known of the set stays known: its generator, its terms, what was left out; then what the review did."""
    from dataset_dm.hub import CardFacts
    from dataset_dm.hub.card_facts import PLAN, read_facts

    command = shlex.join(["dataset-dm", *sys.argv[1:]])
    changes = {name: number for name, number in done.counts.items() if number}
    review = {"source": source.title, "reviewed by": chosen.title, "rows reviewed": done.reviewed, **changes}
    folder = Path(source.name).expanduser()
    if (folder / PLAN).is_file():
        known = read_facts(folder)
        made = f"{known.command}\n{command}"
        return replace(known, command=made, settings={**known.settings, **review}, classes=names)
    return CardFacts(
        name=str(source.identity.get("dataset", source.title)),
        config=str(source.identity.get("config", "default")),
        command=command,
        settings=review,
        classes=names,
    )

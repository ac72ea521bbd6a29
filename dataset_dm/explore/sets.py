"""A set as the explorer reads it: light columns of all rows, whole rows of the few that are shown.

A folder that `dataset-dm generate` wrote is read from its parquet files, a group of rows at a time; anything else
through `datasets`, whose tables lie memory-mapped on disk. No image is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dataset_dm.errors import DataError, did_you_mean, explain
from dataset_dm.labels.vocabulary import BACKGROUND
from dataset_dm.store.output_folder import MARKER
from dataset_dm.visualization.row import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

Record = dict[str, Any]


class Table(Protocol):
    """Rows of one split, in any order and any columns."""

    def __len__(self) -> int:
        """How many there are."""

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """All rows; `paths` are columns, or fields of them ("quality.confidence"); more fields may come along."""

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """Some rows, in the order asked for, as plain dicts; images are their bytes."""


@dataclass(frozen=True)
class OpenSet:
    """A set that was opened.

    Args:
        name: what the user called it.
        splits: name → its rows.
        features: its columns as plain dicts, as in `records`.
        dropped: reason → samples that were left out when it was made, as far as it says.
    """

    name: str
    splits: Mapping[str, Table]
    features: Mapping[str, Any]
    dropped: Mapping[str, int]

    @property
    def title(self) -> str:
        """Its name without folders."""
        return Path(self.name).name or self.name

    @cached_property
    def class_names(self) -> list[str]:
        """Names of the label ids, background first; [] where there are no classes."""
        classes = inner(self.features.get("classes")) or {}
        if classes.get("names"):
            return list(classes["names"])
        category = fields(self.features.get("objects")).get("category") or {}
        names = category.get("names") or (inner(category) or {}).get("names")
        return [BACKGROUND, *names] if names else []

    def split(self, name: str | None) -> str:
        """The split of that name, by default the first; DataError for one that is not there."""
        chosen = next(iter(self.splits)) if name is None else name
        if chosen not in self.splits:
            known = ", ".join(self.splits)
            what = f"{self.name}: split"
            raise DataError(explain(what, got=name, expected=f"one of {known}") + did_you_mean(str(name), self.splits))
        return chosen


def inner(feature: Any) -> Any:
    """What a list holds, in any of the spellings of a column's plain form; None for no list."""
    if isinstance(feature, list):
        return feature[0]
    return feature.get("feature") if isinstance(feature, Mapping) else None


def fields(feature: Any) -> Mapping[str, Any]:
    """The fields of a column that is a dict of lists or a list of dicts; {} for any other."""
    found = inner(feature) or feature
    is_struct = isinstance(found, Mapping) and not isinstance(found.get("_type"), str)
    return found if is_struct else {}


def open_set(source: str, config: str | None = None) -> OpenSet:
    """The set in a folder or of a name.

    Raises:
        DataError: it is not there, cannot be opened, has no row, no image or no label.
    """
    folder = Path(source).expanduser()
    if not folder.exists() and (folder.is_absolute() or source.startswith((".", "~"))):
        expected = "a folder that is there, or a dataset's name"
        raise DataError(explain("SOURCE", got=source, expected=expected))
    opened = _generated(source, folder) if (folder / MARKER).is_file() else _opened(source, folder, config)
    _check(opened)
    return opened


def _generated(source: str, folder: Path) -> OpenSet:
    """A folder of ours: nothing is copied into a cache, and `datasets` is not needed."""
    from dataset_dm.store.output_folder import find_splits

    splits: dict[str, Table] = {name: ParquetTable(files) for name, files in find_splits(folder).items()}
    if not splits:
        raise DataError(explain(f"{folder}: no split", expected="folders such as train/ with .parquet files"))
    return OpenSet(source, splits, next(iter(splits.values())).features, _left_out(folder))


def _opened(source: str, folder: Path, config: str | None) -> OpenSet:
    from dataset_dm.exports.open_dataset import loaded as load_splits

    found = load_splits(source, folder, config)
    features = next(iter(found.values())).features.to_dict()
    return OpenSet(source, {name: MappedTable(rows) for name, rows in found.items()}, features, {})


def _check(opened: OpenSet) -> None:
    """DataError unless there is an image, at least one kind of label, and a row."""
    there = ", ".join(opened.features)
    if "image" not in opened.features:
        raise DataError(explain(f"{opened.name}: no column 'image'", got=there, expected="a set of labelled images"))
    if not any(name in opened.features for name in COLUMNS):
        expected = f"one of {', '.join(COLUMNS)}"
        raise DataError(explain(f"{opened.name}: no column with labels", got=there, expected=expected))
    if not any(len(rows) for rows in opened.splits.values()):
        raise DataError(explain(f"{opened.name}: has no row"))


def _left_out(folder: Path) -> Mapping[str, int]:
    """What the set's own report says; a set of an older version has none."""
    from dataset_dm.hub.card_facts import DROPS, parse

    file = folder / DROPS
    configs = parse(file.read_bytes() if file.is_file() else None, str(file))
    return {reason: count for part in configs.values() for reason, count in part.get("samples", {}).items()}


class ParquetTable:
    """Rows in parquet files, which are read in part only.

    Raises DataError where a file cannot be read.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        with _parquet(self.files[0]) as opened:
            self.features = _features(self.files[0], opened.schema_arrow)
        # (file, group of rows) in order, and the position of each group's first row
        self.groups: list[tuple[Path, int]] = []
        starts = [0]
        for file in self.files:
            with _parquet(file) as opened:
                for group in range(opened.metadata.num_row_groups):
                    self.groups.append((file, group))
                    starts.append(starts[-1] + opened.metadata.row_group(group).num_rows)
        self.starts = np.array(starts)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """As in `Table`."""
        import pyarrow as pa

        tables = []
        for file in self.files:
            with _parquet(file) as opened:
                tables.append(_read(file, lambda opened=opened: opened.read(columns=list(paths))))
        return pa.concat_tables(tables)

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """As in `Table`; every group is read once, and only the asked-for columns of it."""
        wanted = np.asarray(positions, dtype=np.int64)
        groups = np.searchsorted(self.starts, wanted, side="right") - 1
        found: dict[int, Record] = {}
        for number in np.unique(groups).tolist():
            file, group = self.groups[number]
            places = wanted[groups == number]
            with _parquet(file) as opened:
                table = _read(
                    file,
                    lambda opened=opened, group=group: opened.read_row_group(group, columns=list(columns)),
                )
            rows = table.take(places - self.starts[number]).to_pylist()
            found.update(zip(places.tolist(), rows, strict=True))
        return [found[place] for place in wanted.tolist()]


class MappedTable:
    """Rows of a `datasets.Dataset`, images undecoded."""

    def __init__(self, rows: Any) -> None:
        self.dataset = rows

    def __len__(self) -> int:
        return len(self.dataset)

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """As in `Table`; whole columns."""
        names = list(dict.fromkeys(path.split(".")[0] for path in paths))
        return self.dataset.select_columns(names).with_format("arrow")[:]

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """As in `Table`; images that lie in files of their own are read."""
        chosen = self.dataset.select_columns(list(columns)).with_format("arrow")
        return [_with_bytes(row) for row in chosen[[int(place) for place in positions]].to_pylist()]


def _features(file: Path, schema: pa.Schema) -> Mapping[str, Any]:
    """The plain columns that the file's metadata tells, as `records.arrow_schema` wrote them."""
    try:
        return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(explain(f"{file}: its metadata does not say what the columns are")) from error


def _with_bytes(row: Record) -> Record:
    return {name: _in_memory(value) for name, value in row.items()}


def _in_memory(value: Any) -> Any:
    """A picture's path as its bytes; anything else as it is."""
    if not (isinstance(value, dict) and set(value) == {"bytes", "path"} and value["bytes"] is None and value["path"]):
        return value
    try:
        return {"bytes": Path(value["path"]).read_bytes(), "path": value["path"]}
    except OSError as error:
        raise DataError(explain(f"image {value['path']}: cannot be read ({error.strerror})")) from error


def _parquet(file: Path) -> Any:
    import pyarrow.parquet as pq

    return _read(file, lambda: pq.ParquetFile(file, memory_map=True))


def _read(file: Path, action: Any) -> Any:
    import pyarrow as pa

    try:
        return action()
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(explain(f"{file}: cannot be read ({said})")) from error

"""Rows of one split: parquet files that are read in part, or a `datasets.Dataset`; images stay undecoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from dataset_dm.errors import DataError, explain

if TYPE_CHECKING:
    import pyarrow as pa

Record = dict[str, Any]
_T = TypeVar("_T")
_BATCH = 64  # rows that are read at a time


class Table(Protocol):
    """Rows of one split, in any order and any columns."""

    def __len__(self) -> int:
        """The number of rows."""

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """All rows; `paths` are columns, or fields of them ("quality.confidence"); more fields may be read too."""

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """Some rows, in the given order, as plain dicts; images are their bytes."""


def batches(table: Table, columns: Sequence[str]) -> Iterator[list[Record]]:
    """All rows in their order, a batch at a time."""
    for start in range(0, len(table), _BATCH):
        yield table.rows(range(start, min(start + _BATCH, len(table))), columns)


class ParquetTable:
    """Rows in parquet files, which are read in part only; DataError where a file cannot be read."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        # (file, group of rows) in order, and the position of each group's first row
        self.groups: list[tuple[Path, int]] = []
        starts = [0]
        for file in self.files:
            metadata = _read(file, lambda opened: opened.metadata)
            for group in range(metadata.num_row_groups):
                self.groups.append((file, group))
                starts.append(starts[-1] + metadata.row_group(group).num_rows)
        self.starts = np.array(starts)

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the first file."""
        return _read(self.files[0], lambda opened: opened.schema_arrow)

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """As in `Table`."""
        import pyarrow as pa

        return pa.concat_tables([_read(file, lambda opened: opened.read(columns=list(paths))) for file in self.files])

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """As in `Table`; every group is read once."""
        wanted = np.asarray(positions, dtype=np.int64)
        groups = np.searchsorted(self.starts, wanted, side="right") - 1
        found: dict[int, Record] = {}
        for number in np.unique(groups).tolist():
            file, group = self.groups[number]
            places = wanted[groups == number]
            table = _read(file, lambda opened, group=group: opened.read_row_group(group, columns=list(columns)))
            rows = table.take(places - self.starts[number]).to_pylist()
            found.update(zip(places.tolist(), rows, strict=True))
        return [found[place] for place in wanted.tolist()]


class MappedTable:
    """Rows of a `datasets.Dataset`, which lies memory-mapped on disk."""

    def __init__(self, rows: Any) -> None:
        import datasets

        for column, feature in rows.features.items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(column, datasets.Image(decode=False))
        self.dataset = rows

    def __len__(self) -> int:
        return len(self.dataset)

    def columns(self, paths: Sequence[str]) -> pa.Table:
        """As in `Table`; whole columns."""
        names = list(dict.fromkeys(path.split(".")[0] for path in paths))
        return self.dataset.select_columns(names).with_format("arrow")[:]

    def rows(self, positions: Sequence[int], columns: Sequence[str]) -> list[Record]:
        """As in `Table`; images in files of their own are read."""
        chosen = self.dataset.select_columns(list(columns)).with_format("arrow")
        records = chosen[[int(place) for place in positions]].to_pylist()
        return [{name: _in_memory(value) for name, value in record.items()} for record in records]


def _in_memory(value: Any) -> Any:
    """The bytes of an image that is stored as a path; anything else unchanged."""
    if not (isinstance(value, Mapping) and set(value) == {"bytes", "path"} and value["bytes"] is None):
        return value
    try:
        return {"bytes": Path(value["path"]).read_bytes(), "path": value["path"]} if value["path"] else value
    except OSError as error:
        raise DataError(explain(f"image {value['path']}: cannot be read ({error.strerror})")) from error


def _read(file: Path, action: Callable[[Any], _T]) -> _T:
    """What `action` reads from an opened parquet file; DataError when that fails."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, memory_map=True) as opened:
            return action(opened)
    except (OSError, pa.ArrowException) as error:
        raise DataError(explain(f"{file}: cannot be read ({' '.join(str(error).split())[:200]})")) from error

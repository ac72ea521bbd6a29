"""The set that is exported, or that corrections are brought back into: its rows as they are stored, as samples.

A folder that `dataset-dm generate` wrote is read from its parquet files; anything else that `datasets` opens, by name
or as saved to disk, is read through it. No image is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import DataError, UserError, did_you_mean, explain
from dataset_dm.exports.sample import Sample
from dataset_dm.exports.stored import Row, sample_of
from dataset_dm.labels.vocabulary import BACKGROUND
from dataset_dm.store.output_folder import MARKER

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

_BATCH = 64  # rows that are read at a time
# (split, names of columns, or None for all) → tables
Reader = Callable[[str, Sequence[str] | None], Iterator["pa.Table"]]


@dataclass(frozen=True)
class Source:
    """A set with our columns.

    Args:
        name: what the user called it.
        splits: its splits, in its order.
        features: its columns.
        read: reads tables of a split; images are bytes or paths.
        identity: what `generate` noted about it: dataset, config …; empty for other sets.
    """

    name: str
    splits: tuple[str, ...]
    features: datasets.Features
    read: Reader
    identity: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its name without folders."""
        return Path(self.name).name or self.name

    @property
    def columns(self) -> list[str]:
        """The columns, and the fields of objects beside them."""
        return [*self.features, *_fields(self.features.get("objects"))]

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema with the metadata that plain `load_dataset` reads."""
        return self.features.arrow_schema

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names without background; DataError when nothing in the columns tells them."""
        names = class_names(self.features)
        if not names:
            expected = "class names in the column objects (category) or classes"
            raise DataError(explain(f"{self.name}: no class names", got=", ".join(self.features), expected=expected))
        return tuple(names[1:])

    def classes_for(self, columns: Sequence[str], what: str) -> tuple[str, ...]:
        """The class names; DataError unless there is an image and at least one of the columns."""
        for wanted in (("image",), columns):
            if not any(name in self.features for name in wanted):
                expected = f"a column {' or '.join(wanted)}"
                raise DataError(
                    explain(f"{self.name}: not a set for {what}", got=", ".join(self.features), expected=expected)
                )
        return self.classes

    def indices(self, split: str) -> list[int]:
        """For every row its number: its image_id, else the index of its provenance, else its place."""
        for column, take in (
            ("image_id", lambda value: value),
            ("provenance", lambda value: (value or {}).get("index")),
        ):
            if column in self.features:
                found = [take(value) for table in self.read(split, [column]) for value in table[column].to_pylist()]
                plain = all(isinstance(one, int) and 0 <= one < 10**12 for one in found)
                if plain and len(set(found)) == len(found):
                    return found
        count = sum(table.num_rows for table in self.read(split, ["image"]))
        return list(range(count))

    def rows(self, split: str) -> Iterator[tuple[Row, Sample]]:
        """Every row as it is stored, and as a sample."""
        position = 0
        indices = self.indices(split)
        for table in self.read(split, None):
            for row in table.to_pylist():
                yield row, sample_of(row, split, indices[position], position, self.classes, self.name)
                position += 1


def open_source(source: str, config: str | None = None) -> Source:
    """The set in a folder or of a name, see above; DataError in one line when it cannot be opened."""
    folder = Path(source).expanduser()
    if (folder / MARKER).is_file():
        return _generated(folder)
    found = loaded(source, folder, config)
    features = next(iter(found.values())).features
    return Source(source, tuple(found), features, _reader_of(found), {})


def class_names(features: Mapping[str, Any]) -> list[str]:
    """Names of the label ids, background first; [] when nothing in the columns tells them.

    They come from the ClassLabel of column `classes`, else from `objects` → `category`, which has no background.
    """
    shown = getattr(getattr(features.get("classes"), "feature", None), "names", None)
    if shown:
        return list(shown)
    category = _fields(features.get("objects")).get("category")
    names = getattr(getattr(category, "feature", category), "names", None)
    return [BACKGROUND, *names] if names else []


def _fields(feature: Any) -> Mapping[str, Any]:
    """Of a list of dicts or a dict of lists, in the spellings of every version of `datasets`; {} for anything else."""
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    return inner if isinstance(inner, dict) else {}


def is_dict_of_lists(feature: Any) -> bool:
    """Whether rows hold a dict of lists; `datasets` before 4 calls that a Sequence, since then it makes none."""
    import datasets

    return isinstance(feature, (dict, datasets.Sequence))


def _generated(folder: Path) -> Source:
    """A folder of ours: nothing is copied into a cache."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Features

    from dataset_dm.store.output_folder import find_splits

    try:
        identity = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        files = find_splits(folder)
        if not files:
            raise DataError(explain(f"{folder}: no split", expected="folders such as train/ with .parquet files"))
        features = Features.from_arrow_schema(pq.read_schema(next(iter(files.values()))[0]))
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, UserError):
            raise
        raise _damaged(folder, error) from error

    def read(split: str, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        for file in files[split]:
            try:
                with pq.ParquetFile(file) as opened:
                    for batch in opened.iter_batches(_BATCH, columns=columns):
                        yield pa.Table.from_batches([batch])
            except (OSError, pa.ArrowException) as error:
                raise _damaged(file, error) from error

    return Source(str(folder), tuple(files), features, read, identity if isinstance(identity, dict) else {})


def loaded(source: str, folder: Path, config: str | None) -> dict[str, Any]:
    import datasets

    from dataset_dm.plan.configs import CATALOGUE

    short = source.removeprefix("dataset_dm/")
    if not folder.exists() and "/" not in short and short not in CATALOGUE:
        expected = "a folder that dataset-dm wrote, or a dataset's name"
        raise DataError(explain("SOURCE", got=source, expected=expected) + did_you_mean(source, CATALOGUE))
    try:
        if (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file():
            found = datasets.load_from_disk(str(folder))
        else:
            name = f"dataset_dm/{short}" if short in CATALOGUE and not folder.exists() else str(source)
            found = datasets.load_dataset(name, config)
    except UserError:
        raise
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        said = " ".join(str(error.__cause__ or error).split())[:200]
        raise DataError(explain(f"SOURCE {source}: cannot be loaded ({said})")) from error
    splits = dict(found) if isinstance(found, dict) else {str(found.split or "train"): found}
    if not any(len(rows) for rows in splits.values()):
        raise DataError(explain(f"SOURCE {source}: has no row"))
    return {name: _undecoded(rows) for name, rows in splits.items()}


def _undecoded(rows: Any) -> Any:
    import datasets

    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            rows = rows.cast_column(column, datasets.Image(decode=False))
    return rows


def _reader_of(splits: Mapping[str, Any]) -> Reader:
    def read(split: str, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        rows = splits[split] if columns is None else splits[split].select_columns(list(columns))
        yield from rows.with_format("arrow").iter(batch_size=_BATCH)

    return read


def _damaged(place: Path, error: Exception) -> DataError:
    return DataError(explain(f"{place}: cannot be read ({' '.join(str(error).split())[:200]})"))

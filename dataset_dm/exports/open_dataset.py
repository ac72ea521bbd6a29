"""A set that is exported, reviewed or shown: its columns, its classes and its rows as they are stored.

A folder that `dataset-dm generate` wrote is read from its parquet files; anything else that `datasets` opens, by name
or as saved to disk, is read through it. No image is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import DataError, UserError, did_you_mean, explain
from dataset_dm.exports.sample import Sample
from dataset_dm.exports.stored import sample_of
from dataset_dm.exports.tables import MappedTable, ParquetTable, Record, Table, batches
from dataset_dm.labels.vocabulary import BACKGROUND
from dataset_dm.store.output_folder import MARKER, find_splits

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa


@dataclass(frozen=True)
class Source:
    """A set with our columns.

    Args:
        name: the name or folder that the user gave.
        splits: name → rows, in the set's order.
        features: its columns.
        identity: notes of `generate` about it: dataset, config …; empty for other sets.
    """

    name: str
    splits: Mapping[str, Table]
    features: datasets.Features
    identity: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its name without folders."""
        return Path(self.name).name or self.name

    @property
    def columns(self) -> list[str]:
        """The columns, and the fields of objects beside them."""
        return [*self.features, *fields(self.features.get("objects"))]

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema with the metadata that plain `load_dataset` reads."""
        return self.features.arrow_schema

    @cached_property
    def class_names(self) -> list[str]:
        """Names of the label ids, background first; [] where there are no classes."""
        return class_names(self.features)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names without background; DataError when no column declares them."""
        if not self.class_names:
            expected = "class names in the column objects (category) or classes"
            raise DataError(explain(f"{self.name}: no class names", got=", ".join(self.features), expected=expected))
        return tuple(self.class_names[1:])

    @cached_property
    def dropped(self) -> Mapping[str, int]:
        """Reason → samples that were left out when the set was generated; {} without such a report."""
        from dataset_dm.hub.card_facts import DROPS, parse

        file = Path(self.name).expanduser() / DROPS
        configs = parse(file.read_bytes() if file.is_file() else None, str(file))
        return {reason: count for part in configs.values() for reason, count in part.get("samples", {}).items()}

    def require(self, columns: Sequence[str], use: str) -> None:
        """DataError unless there is an image and at least one of the columns."""
        for wanted in (("image",), columns):
            if not any(name in self.features for name in wanted):
                expected = f"a column {' or '.join(wanted)}"
                got = ", ".join(self.features)
                raise DataError(explain(f"{self.name}: not a set for {use}", got=got, expected=expected))

    def split(self, name: str | None) -> str:
        """The split of that name, by default the first; DataError for an unknown one."""
        chosen = next(iter(self.splits)) if name is None else name
        if chosen not in self.splits:
            expected = f"one of {', '.join(self.splits)}"
            raise DataError(explain("--split", got=name, expected=expected) + did_you_mean(str(name), self.splits))
        return chosen

    def indices(self, split: str, valid: Container[int] = range(10**12)) -> list[int]:
        """The number of every row: its image_id, else the index of its provenance, else its position.

        A column is used when all its numbers are `valid` and differ.
        """
        table = self.splits[split]
        for column, field in (("image_id", ""), ("provenance", "index")):
            if column in self.features and (not field or field in fields(self.features[column])):
                values = table.columns([f"{column}.{field}".strip(".")]).column(column).to_pylist()
                found = [(value or {}).get(field) for value in values] if field else values
                if all(isinstance(value, int) and value in valid for value in found) and len(set(found)) == len(found):
                    return found
        return list(range(len(table)))

    def rows(self, split: str) -> Iterator[tuple[Record, Sample]]:
        """Every row as it is stored, and as a sample."""
        position, indices = 0, self.indices(split)
        for records in batches(self.splits[split], list(self.features)):
            for record in records:
                yield record, sample_of(record, split, indices[position], position, self.classes, self.name)
                position += 1


def open_source(source: str, config: str | None = None) -> Source:
    """The set in a folder or of a name; DataError in one line when it cannot be opened."""
    folder = Path(source).expanduser()
    if not folder.exists() and (folder.is_absolute() or source.startswith((".", "~"))):
        raise DataError(explain("SOURCE", got=source, expected="a folder that exists, or a dataset's name"))
    if (folder / MARKER).is_file():
        return _generated(folder)
    splits = {name: MappedTable(rows) for name, rows in _loaded(source, folder, config).items()}
    return Source(source, splits, next(iter(splits.values())).dataset.features, {})


def class_names(features: Mapping[str, Any]) -> list[str]:
    """Names of the label ids, background first; [] when no column declares them.

    They come from the ClassLabel of column `classes`, else from `objects` → `category`, which has no background.
    """
    shown = getattr(getattr(features.get("classes"), "feature", None), "names", None)
    if shown:
        return list(shown)
    category = fields(features.get("objects")).get("category")
    names = getattr(getattr(category, "feature", category), "names", None)
    return [BACKGROUND, *names] if names else []


def fields(feature: Any) -> Mapping[str, Any]:
    """The fields of a struct, a list of dicts or a dict of lists, in the spellings of every version of `datasets`; {}
    for anything else."""
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    return inner if isinstance(inner, dict) else {}


def is_dict_of_lists(feature: Any) -> bool:
    """Whether rows contain a dict of lists; `datasets` before 4 calls that a Sequence."""
    import datasets

    return isinstance(feature, (dict, datasets.Sequence))


def _generated(folder: Path) -> Source:
    """A folder of `generate`, read without a copy in the cache of `datasets`."""
    from datasets import Features

    try:
        identity = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(explain(f"{folder}: cannot be read ({' '.join(str(error).split())[:200]})")) from error
    splits = {name: ParquetTable(files) for name, files in find_splits(folder).items()}
    if not splits:
        raise DataError(explain(f"{folder}: no split", expected="folders such as train/ with .parquet files"))
    features = Features.from_arrow_schema(next(iter(splits.values())).schema)
    return Source(str(folder), splits, features, identity if isinstance(identity, dict) else {})


def _loaded(source: str, folder: Path, config: str | None) -> dict[str, Any]:
    """Split → rows, of a set that `datasets` opens."""
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
            name = f"dataset_dm/{short}" if short in CATALOGUE and not folder.exists() else source
            found = datasets.load_dataset(name, config)
    except UserError:
        raise
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise DataError(explain(f"SOURCE {source}: cannot be loaded ({reason})")) from error
    splits = dict(found) if isinstance(found, dict) else {str(found.split or "train"): found}
    if not any(len(rows) for rows in splits.values()):
        raise DataError(explain(f"SOURCE {source}: has no row"))
    return splits

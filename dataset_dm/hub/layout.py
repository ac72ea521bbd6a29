"""Paths of the files in a repository on the Hub (named as `datasets` does), and features read from parquet files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.errors import DataError, explain

if TYPE_CHECKING:
    from datasets import DatasetInfo, Features


def describe(splits: Mapping[str, Sequence[Path]]) -> DatasetInfo:
    """Features and split sizes, read from the parquet files' footers alone.

    Raises:
        DataError: a damaged parquet file, or one whose columns differ from the others.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo

    sizes = SplitDict()
    features: Features | None = None
    for name, files in splits.items():
        rows = size = 0
        for file in files:
            try:
                reader = pq.ParquetFile(file)
            except (pa.ArrowInvalid, OSError) as error:
                reason = " ".join(str(error).split())[:120]
                remedy = "make the folder again with `dataset-dm generate … --overwrite`"
                raise DataError(explain(f"{file} is not a complete parquet file ({reason})", remedy=remedy)) from error
            there = Features.from_arrow_schema(reader.schema_arrow)
            features = features or there
            if there != features:
                raise DataError(explain(f"{file}: columns", got=list(there), expected=f"those of {name}'s first file"))
            rows += reader.metadata.num_rows
            # Decoded size, as `datasets` counts it; the files themselves are smaller.
            groups = range(reader.metadata.num_row_groups)
            size += sum(reader.metadata.row_group(i).total_byte_size for i in groups)
        sizes.add(SplitInfo(name, num_bytes=size, num_examples=rows))
    stored = sum(file.stat().st_size for files in splits.values() for file in files)
    whole = sum(split.num_bytes for split in sizes.values())
    return DatasetInfo(features=features, splits=sizes, download_size=stored, dataset_size=whole)


def data_folder(config: str) -> str:
    """The folder of a config's files in a repository."""
    return "data" if config == "default" else config


def data_file(config: str, split: str, number: int, count: int) -> str:
    """The path of one file in a repository."""
    return f"{data_folder(config)}/{split}-{number:05d}-of-{count:05d}.parquet"


def pattern(config: str, split: str) -> str:
    """The glob pattern of a split's files in a repository."""
    return f"{data_folder(config)}/{split}-*"


def is_data_file(path: str, config: str, split: str | None) -> bool:
    """Whether the path is one of `data_file`, of any split if `split` is None."""
    name = r"[\w.-]+" if split is None else re.escape(split)
    return re.fullmatch(rf"{re.escape(data_folder(config))}/{name}-\d{{5}}-of-\d{{5}}\.parquet", path) is not None


def check_name(kind: str, name: str) -> str:
    """A config or split name that can be a folder on the Hub; DataError for any other."""
    if re.fullmatch(r"\w+([.-]\w+)*", name, re.ASCII) is None:
        raise DataError(explain(f"{kind} name", got=name, expected="letters, digits, _ and inner dots or hyphens"))
    return name

"""A finished set as a folder: one parquet folder a split, a card, a preview; plain `load_dataset("DIR")` reads it.

It is written beside its place and moved there whole, so that no half-written folder is ever visible.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import StoreError, explain
from dataset_dm.files.atomic import store_error

if TYPE_CHECKING:
    import pyarrow as pa

# says that a folder is ours to replace, and which set it holds; hidden, so that no loader takes it for data
MARKER = ".dataset_dm.json"
# One file holds about so many bytes, one group of rows about so many rows: the Hub's viewer reads a group at a time.
_FILE_BYTES = 400 * 2**20
_GROUP_ROWS = 100


class OutFolder:
    """The folder of `--out`, while it is being made.

    Args:
        target: where it shall lie.
        identity: dataset, config and label fingerprint: what `resume` compares.
        resume: an older folder of the same set is replaced by the grown one.
        overwrite: an older folder of any set is replaced.

    Raises:
        StoreError: the target is not empty and may not be replaced, or cannot be written.
    """

    def __init__(
        self, target: Path, identity: dict[str, Any], *, resume: bool = False, overwrite: bool = False
    ) -> None:
        self.target, self.identity = target.expanduser().absolute(), identity
        self.partial = self.target.parent / f".{self.target.name}.partial"
        self._check(resume, overwrite)
        try:
            shutil.rmtree(self.partial, ignore_errors=True)  # left by a killed run
            self.partial.mkdir(parents=True)
        except OSError as error:
            raise store_error(self.partial, error) from error

    def __enter__(self) -> OutFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.partial, ignore_errors=True)

    def write_split(self, split: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes a split into as few files as reasonable; returns its rows. Image bytes pass as they are."""
        folder = self.partial / split
        writer = _Writer(folder, schema)
        try:
            folder.mkdir()
            for table in tables:
                writer.add(table)
            writer.close()
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise store_error(folder, error) from error
        return writer.rows

    def publish(self) -> Path:
        """Moves the finished folder to its place; an older one is removed after the new one is in place."""
        old = self.target.parent / f".{self.target.name}.old"
        try:
            (self.partial / MARKER).write_text(json.dumps(self.identity, indent=1), encoding="utf-8")
            shutil.rmtree(old, ignore_errors=True)
            if self.target.exists():
                os.replace(self.target, old)
            os.replace(self.partial, self.target)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise store_error(self.target, error) from error
        return self.target

    def _check(self, resume: bool, overwrite: bool) -> None:
        if self.target.is_symlink() or (self.target.exists() and not self.target.is_dir()):
            raise StoreError(explain(f"--out {self.target}", got="a file or link", expected="a folder, new or empty"))
        if not self.target.exists() or not any(self.target.iterdir()):
            return
        if not (resume or overwrite):
            remedy = "take another folder, --resume to go on with the same set, or --overwrite to replace it"
            raise StoreError(explain(f"--out {self.target}: the folder is not empty", remedy=remedy))
        try:
            there = json.loads((self.target / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            what = f"--out {self.target}: the folder holds something that dataset-dm did not write"
            raise StoreError(explain(what, remedy="take another folder, or remove this one yourself")) from None
        if resume and not overwrite and there != self.identity:
            differing = ", ".join(
                f"{key} is {there.get(key)!r} there and {self.identity.get(key)!r} here"
                for key in {**self.identity, **there}
                if there.get(key) != self.identity.get(key)
            )
            remedy = "give the same arguments as before, or --overwrite to replace it"
            raise StoreError(explain(f"--resume: {self.target} holds another set ({differing})", remedy=remedy))


class _Writer:
    """Collects tables into groups of rows, groups into files."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder, self.schema = folder, schema
        self.rows = self._files = self._bytes = self._waiting_rows = 0
        self._waiting: list[pa.Table] = []
        self._writer: Any = None

    def add(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        self.rows += table.num_rows
        if self._waiting_rows >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        if self._waiting or self._writer is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        group = pa.concat_tables(self._waiting) if self._waiting else self.schema.empty_table()
        self._waiting, self._waiting_rows = [], 0
        if self._writer is not None and self._bytes + group.nbytes > _FILE_BYTES:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._bytes = 0
            self._writer = pq.ParquetWriter(
                self.folder / f"{self._files:05d}.parquet", self.schema, compression="none", use_dictionary=False
            )
            self._files += 1
        self._writer.write_table(group)
        self._bytes += group.nbytes


ORDER = ("train", "validation", "test")


def find_splits(folder: Path) -> dict[str, list[Path]]:
    """Split name → its parquet files; train, validation, test first, others by name."""
    found = {d.name: sorted(d.glob("*.parquet")) for d in sorted(folder.iterdir()) if d.is_dir()}
    return {name: found[name] for name in in_order([name for name in found if found[name]])}


def in_order(splits: Sequence[str]) -> list[str]:
    """Train, validation, test first, others as they come."""
    return [name for name in ORDER if name in splits] + [name for name in splits if name not in ORDER]

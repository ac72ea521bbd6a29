"""Batches of a shard that is in the making by streams: `…/.pieces/train-00000/0.arrow`, beside the split folders.

A stream hands out rows after every batch and may then be left open for good, so it cannot hold a lock in between.
Instead every batch it made lies here until the shard is whole: the next reader of the shard, in this process or
another, continues where it stopped, and no sample is drawn twice. A piece is whole or absent, like a shard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset_dm.store.shards import MADE, ShardStore

if TYPE_CHECKING:
    import pyarrow as pa

_FOLDER = ".pieces"  # no split has a dot in its name


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one shard, in all stores that need them: images and labels, or labels alone."""

    stores: tuple[ShardStore, ...]
    split: str
    shard: int

    def read(self, number: int, made: Mapping[str, Any]) -> tuple[pa.Table, ...] | None:
        """The rows of one batch by store; None when they are not there, or were not made as `made` says."""
        found = tuple(self._read(store, number, made) for store in self.stores)
        return None if any(table is None for table in found) else found

    def write(self, number: int, tables: Sequence[pa.Table], made: Mapping[str, Any]) -> None:
        """Keeps one batch, a table a store; `made` says how it was made. Raises StoreError (disk full, …)."""
        import pyarrow as pa

        for store, table in zip(self.stores, tables, strict=True):
            metadata = {**(table.schema.metadata or {}), MADE: json.dumps(made, sort_keys=True)}
            marked, sink = table.replace_schema_metadata(metadata), pa.BufferOutputStream()
            with pa.ipc.new_file(sink, marked.schema) as writer:
                writer.write_table(marked)
            store.storage.write(f"{self._folder(store)}/{number}.arrow", memoryview(sink.getvalue()))

    def remove(self) -> None:
        """Takes all of them out: the shard is whole."""
        for store in self.stores:
            store.storage.remove(self._folder(store))

    def _read(self, store: ShardStore, number: int, made: Mapping[str, Any]) -> pa.Table | None:
        import pyarrow as pa

        try:
            with pa.ipc.open_file(pa.py_buffer(store.storage.read(f"{self._folder(store)}/{number}.arrow"))) as reader:
                table = reader.read_all()
        except (OSError, pa.ArrowException):
            return None
        metadata = dict(table.schema.metadata or {})
        if json.loads(metadata.pop(MADE, b"null")) != made:
            return None
        return table.replace_schema_metadata(metadata or None)

    def _folder(self, store: ShardStore) -> str:
        return f"{store.name}/{_FOLDER}/{self.split}-{self.shard:05d}"

"""The shard store: `$DATASET_DM_HOME/{images,labels}/<fingerprint>/<split>/00000.parquet`, a manifest beside.

A shard is whole or absent. It outlives the half-built folders that `datasets` deletes on any exception, so a killed run
goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataset_dm.errors import StoreError, explain
from dataset_dm.files import locked, write_atomically
from dataset_dm.home import home

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["images", "labels"]

MANIFEST = "manifest.json"
# how a shard was made, in its parquet metadata: the environment's name and marks such as a halved batch
MADE = b"dataset_dm"


@dataclass(frozen=True, slots=True)
class ShardStore:
    """The shards of one fingerprint."""

    kind: Kind
    fingerprint: str
    root: Path

    @classmethod
    def open(cls, kind: Kind, fingerprint: str, root: Path | None = None) -> ShardStore:
        """The store under `root`, by default the home folder; nothing is created yet."""
        return cls(kind, fingerprint, root or home())

    @property
    def folder(self) -> Path:
        """Holds the split folders and the manifest."""
        return self.root / self.kind / self.fingerprint

    def file(self, split: str, shard: int) -> Path:
        """Where a shard lies, or would."""
        return self.folder / split / f"{shard:05d}.parquet"

    def has(self, split: str, shard: int) -> bool:
        """Whether the shard is finished."""
        return self.file(split, shard).is_file()

    def missing(self, split: str, shards: Sequence[int]) -> list[int]:
        """Those of `shards` that are not finished."""
        folder = self.folder / split
        names = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
        return [shard for shard in shards if f"{shard:05d}.parquet" not in names]

    def read(self, split: str, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The shard's rows, in index order. Raises StoreError when it is absent or damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.file(split, shard)
        try:
            # One thread: a shard is small, and threads do not survive a fork.
            return pq.ParquetFile(file).read(columns=columns, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            remedy = f"delete {file} and run the same command again"
            raise StoreError(explain(f"shard {file} cannot be read ({error})", remedy=remedy)) from error

    def write(self, split: str, shard: int, table: pa.Table, made: Mapping[str, Any]) -> None:
        """Publishes a shard; `made` says how it was made and travels in the file. Raises StoreError (disk full, …)."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        metadata = {**(table.schema.metadata or {}), MADE: json.dumps(made, sort_keys=True)}
        sink = pa.BufferOutputStream()
        # PNG bytes and latents do not shrink; a dictionary of them would only cost time.
        pq.write_table(table.replace_schema_metadata(metadata), sink, compression="none", use_dictionary=False)
        write_atomically(self.file(split, shard), memoryview(sink.getvalue()))

    def made(self, split: str, shard: int) -> dict[str, Any]:
        """What `write` was told about how the shard was made."""
        import pyarrow.parquet as pq

        metadata = pq.read_schema(self.file(split, shard)).metadata or {}
        return json.loads(metadata.get(MADE, b"{}"))

    def manifest(self) -> dict[str, Any]:
        """The manifest, {} before the first shard."""
        try:
            return json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def describe(self, plan: Mapping[str, Any], environment: str, facts: Mapping[str, Any]) -> None:
        """Writes the plan into the manifest, and adds one environment (device, dtype, batch, threads, versions)."""
        with self.lock("manifest"):
            manifest = self.manifest()
            environments = manifest.get("environments", {})
            if environments.get(environment) == dict(facts) and "plan" in manifest:
                return
            manifest = {
                "kind": self.kind,
                "fingerprint": self.fingerprint,
                "plan": dict(plan),
                "environments": {**environments, environment: dict(facts)},
            }
            text = json.dumps(manifest, indent=1, sort_keys=True)
            write_atomically(self.folder / MANIFEST, text.encode())

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Holds the lock `name` of this plan's shards; see `files.locked`."""
        return locked(self.root / "locks" / f"{self.kind}-{self.fingerprint}-{name}.lock")

"""The shard store: `$DATASET_DM_HOME/{images,labels}/<fingerprint>/<split>/00000.parquet`, a manifest beside.

A shard is whole or absent. It outlives the half-built folders that `datasets` deletes on any exception, so a killed run
goes on where it stopped. Beside it lies its record, `00000.json`: what it should be (checksum, rows) and how it came
about. The record is written last: a shard without one was made by a run that was killed in between, and is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataset_dm.errors import StoreError, explain
from dataset_dm.files.storage import LOCKS, LocalStorage, Storage, open_storage

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["images", "labels"]

MANIFEST = "manifest.json"
# of the layout described above; a store of a newer one is left alone
FORMAT = 1
# how a shard was made, in its parquet metadata: the environment's name and marks such as a halved batch
MADE = b"dataset_dm"
_SHARD, _RECORD = ".parquet", ".json"
# how the locks of runs begin, which are held between two shards too
RUN = "run-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """What is known of one shard.

    Args:
        rows: rows in it.
        size: bytes of the file.
        sha256: its checksum, as `sha256sum` has it.
        made: the environment's name and marks, as in the file itself.
        dropped: reason → rows that no set will show.
        seconds: stage → seconds spent on it.
        finished: when it was published, seconds of the epoch by the clock of its maker.
        host: name of the machine that made it.
    """

    rows: int
    size: int
    sha256: str
    made: Mapping[str, Any]
    dropped: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    finished: float = 0.0
    host: str = ""

    def to_json(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> ShardRecord:
        """The inverse; ValueError for anything else. What later versions add is passed over."""
        plain = json.loads(text)
        try:
            return cls(**{name: plain[name] for name in cls.__slots__ if name in plain})
        except TypeError as error:
            raise ValueError(f"no record of a shard ({error})") from error


@dataclass(frozen=True, slots=True)
class ShardStore:
    """The shards of one fingerprint."""

    kind: Kind
    fingerprint: str
    storage: Storage

    @classmethod
    def open(cls, kind: Kind, fingerprint: str, root: Path | Storage | None = None) -> ShardStore:
        """The store under `root`, by default `$DATASET_DM_HOME`; nothing is created yet."""
        if root is None:
            return cls(kind, fingerprint, open_storage())
        return cls(kind, fingerprint, LocalStorage(root) if isinstance(root, Path) else root)

    @property
    def name(self) -> str:
        """Its folder, relative to the storage."""
        return f"{self.kind}/{self.fingerprint}"

    @property
    def folder(self) -> Any:
        """Holds the split folders and the manifest: a Path; the URL of a remote store."""
        return self.storage.locate(self.name)

    def file(self, split: str, shard: int) -> Any:
        """Where a shard lies, or would: a Path; the URL of a remote store."""
        return self.storage.locate(self._name(split, shard))

    def has(self, split: str, shard: int) -> bool:
        """Whether the shard is finished."""
        return self.storage.exists(self._name(split, shard))

    def missing(self, split: str, shards: Sequence[int]) -> list[int]:
        """Those of `shards` that are not finished."""
        there = set(self.finished(split))
        return [shard for shard in shards if shard not in there]

    def finished(self, split: str) -> dict[int, int]:
        """Shard → bytes of every finished shard of a split, in order."""
        entries = self.storage.entries(f"{self.name}/{split}")
        return {int(one.name[: -len(_SHARD)]): one.size for one in entries if _is_shard(one.name)}

    def splits(self) -> list[str]:
        """The splits that have a folder."""
        return [one.name for one in self.storage.entries(self.name) if one.is_folder and one.name[0] != "."]

    def read(self, split: str, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The shard's rows, in index order. Raises StoreError when it is absent or damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        name = self._name(split, shard)
        # images are most of a file: with them, one read of the whole file is much faster than one per column
        parts = self.kind == "images" and columns is not None and "image" not in columns
        try:
            with self.storage.open(name) if parts else pa.BufferReader(self.storage.buffer(name)) as stream:
                # One thread: a shard is small, and threads do not survive a fork.
                return pq.ParquetFile(stream).read(columns=columns, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            file = self.file(split, shard)
            remedy = f"delete {file} and run the same command again"
            raise StoreError(explain(f"shard {file} cannot be read ({error})", remedy=remedy)) from error

    def rows(self, split: str, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """As `read`, of a file with the columns of its kind; StoreError for any other, which somebody put there."""
        from dataset_dm.store.schema import differing_columns, expected_columns

        table = self.read(split, shard, columns)
        expected = expected_columns(self.kind, None if columns is None else tuple(columns))
        differing = differing_columns(table.schema, expected)
        if differing:
            what = f"shard {self.file(split, shard)} is of something else (columns {', '.join(differing)[:200]} differ)"
            raise StoreError(explain(what, remedy="move it away and run the same command again"))
        return table

    def write(
        self,
        split: str,
        shard: int,
        table: pa.Table,
        made: Mapping[str, Any],
        *,
        dropped: Mapping[str, int] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Publishes a shard; `made` says how it was made and travels in the file. Raises StoreError (disk full, …).

        `dropped` and `seconds` go into its record only: they may differ where the bytes are the same.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        metadata = {**(table.schema.metadata or {}), MADE: json.dumps(made, sort_keys=True)}
        sink = pa.BufferOutputStream()
        # PNG bytes and latents do not shrink; a dictionary of them would only cost time.
        pq.write_table(table.replace_schema_metadata(metadata), sink, compression="none", use_dictionary=False)
        data = memoryview(sink.getvalue())
        record = ShardRecord(
            rows=table.num_rows,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            made=dict(made),
            dropped=dict(dropped or {}),
            seconds={stage: round(spent, 4) for stage, spent in (seconds or {}).items()},
            finished=time.time(),
            host=platform.node(),
        )
        name = self._name(split, shard, _RECORD)
        if self.storage.exists(name):  # of the shard that is replaced: a kill must not leave it beside the new one
            self.storage.remove(name)
        self.storage.write(self._name(split, shard), data)
        self.storage.write(name, record.to_json())

    def made(self, split: str, shard: int) -> dict[str, Any]:
        """The `made` argument of `write`: how the shard was made."""
        import pyarrow.parquet as pq

        with self.storage.open(self._name(split, shard)) as stream:
            metadata = pq.read_schema(stream).metadata or {}
        return json.loads(metadata.get(MADE, b"{}"))

    def data(self, split: str, shard: int) -> bytes:
        """The bytes of a shard's file; OSError when it is absent."""
        return self.storage.read(self._name(split, shard))

    def record(self, split: str, shard: int) -> ShardRecord | None:
        """The record of a shard; None when it is absent or cannot be read."""
        try:
            return ShardRecord.from_json(self.storage.read(self._name(split, shard, _RECORD)))
        except (OSError, ValueError):
            return None

    def remove(self, split: str, shard: int) -> None:
        """Takes a shard out, its record first."""
        for ending in (_RECORD, _SHARD):
            self.storage.remove(self._name(split, shard, ending))

    def manifest(self) -> dict[str, Any]:
        """The manifest, {} before the first shard. Raises StoreError when a newer version wrote it."""
        try:
            manifest = json.loads(self.storage.read(f"{self.name}/{MANIFEST}"))
        except (OSError, ValueError):
            return {}
        if not isinstance(manifest, dict):
            return {}
        if manifest.get("format", FORMAT) > FORMAT:
            where = f"{self.folder}: {MANIFEST} has format {manifest['format']}"
            raise StoreError(explain(where, expected=f"at most {FORMAT}", remedy="upgrade dataset-dm"))
        return manifest

    def describe(
        self,
        plan: Mapping[str, Any],
        environment: str | None = None,
        facts: Mapping[str, Any] | None = None,
        *,
        wanted: Mapping[str, int] | None = None,
        images: str | None = None,
    ) -> None:
        """Writes the plan into the manifest; adds an environment (device, dtype, batch, threads, versions) by its name.

        `wanted` is split → rows asked for, kept for `status`; what was asked for last counts. `images` is the
        fingerprint of the images that these labels are of.
        """
        with self.lock("manifest"):
            before = self.manifest()
            environments, asked = dict(before.get("environments", {})), dict(before.get("wanted", {}))
            if environment is not None:
                environments[environment] = dict(facts or {})
            after = {
                "format": FORMAT,
                "kind": self.kind,
                "fingerprint": self.fingerprint,
                "plan": before.get("plan", dict(plan)),
                "environments": environments,
                "wanted": {**asked, **(wanted or {})},
                **({} if images is None else {"images": images}),
            }
            if after != before:
                text = json.dumps(after, indent=1, sort_keys=True)
                self.storage.write(f"{self.name}/{MANIFEST}", text.encode())

    def lock(self, name: str, *, wait: bool = True) -> contextlib.AbstractContextManager[bool]:
        """Holds the lock `name` of this plan's shards; yields False when it is taken and `wait` is not asked for."""
        return self.storage.lock(f"{self.kind}-{self.fingerprint}-{name}", wait=wait)

    @contextlib.contextmanager
    def in_use(self, by: str) -> Iterator[None]:
        """Holds a lock of one's own, until a run ends: see `held`."""
        with self.lock(f"{RUN}{by}"):
            try:
                yield
            finally:
                with contextlib.suppress(StoreError):  # it is only tidier without
                    self.storage.remove(f"{LOCKS}/{self.kind}-{self.fingerprint}-{RUN}{by}.lock")

    def held(self) -> list[str]:
        """Names of the locks that somebody holds at this moment."""
        return [name for name in self._locks() if self._is_held(name)]

    def forget_locks(self) -> None:
        """Removes the files of locks that are not held."""
        for name in self._locks():
            if not self._is_held(name):
                self.storage.remove(f"{LOCKS}/{self.kind}-{self.fingerprint}-{name}.lock")

    def _locks(self) -> list[str]:
        prefix, ending = f"{self.kind}-{self.fingerprint}-", ".lock"
        names = [one.name for one in self.storage.entries(LOCKS)]
        return [name[len(prefix) : -len(ending)] for name in names if name.startswith(prefix) and name.endswith(ending)]

    def _is_held(self, name: str) -> bool:
        with self.lock(name, wait=False) as free:
            return not free

    def _name(self, split: str, shard: int, ending: str = _SHARD) -> str:
        return f"{self.name}/{split}/{shard:05d}{ending}"


def _is_shard(name: str) -> bool:
    return name.endswith(_SHARD) and name[: -len(_SHARD)].isdigit()

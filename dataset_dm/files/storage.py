"""Storage of shards: a local or shared folder, or a location of any fsspec filesystem (`s3://…`).

Names are relative, with `/`: `labels/0123456789abcdef/train/00000.parquet`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from dataset_dm.errors import ConfigError, MissingExtra
from dataset_dm.files.atomic import locked, remote_errors, store_error, write_atomically
from dataset_dm.files.home import VARIABLE, home
from dataset_dm.files.leases import Leases

if TYPE_CHECKING:
    import pyarrow as pa

LOCKS = "locks"
# suffix of temporary files of `write_atomically`
_PART = ".tmp"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder: its size in bytes (0 for a folder), and when it was changed (seconds of the epoch, or 0)."""

    name: str
    size: int
    changed: float
    is_folder: bool


class Storage(Protocol):
    """The filesystem operations of a store. All but `read`, `open` and `buffer` raise StoreError."""

    def locate(self, name: str) -> Path | str:
        """The path or URL, for messages."""

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises OSError (FileNotFoundError)."""

    def open(self, name: str) -> IO[bytes]:
        """The file, to read parts of it."""

    def buffer(self, name: str) -> pa.Buffer:
        """The bytes of a file in Arrow's memory."""

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Write the file atomically."""

    def entries(self, folder: str) -> list[Entry]:
        """Entries of a folder by name, without temporary files; [] if there is no folder."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def remove(self, name: str) -> None:
        """Remove a file or a folder with its content. No-op if it does not exist."""

    def lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Hold a lock of this store: yields True, or without `wait` False if another process holds it."""

    def sweep(self, older_than: float) -> int:
        """Remove temporary files older than so many seconds; returns their number."""

    def free(self) -> int | None:
        """Free bytes; None if unknown."""


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A folder; several machines may share it if its file system has locks."""

    root: Path

    def locate(self, name: str) -> Path:
        """The path."""
        return self.root / name

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return self.locate(name).read_bytes()

    def open(self, name: str) -> IO[bytes]:
        """The file, to read parts of it."""
        return self.locate(name).open("rb")

    def buffer(self, name: str) -> pa.Buffer:
        """The bytes of a file in Arrow's memory pool, which is reused: allocating costs more than reading."""
        import pyarrow as pa

        with pa.OSFile(os.path.join(self.root, name)) as file:
            return file.read_buffer()

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Write the file atomically."""
        write_atomically(self.locate(name), data)

    def entries(self, folder: str) -> list[Entry]:
        """Entries of a folder by name."""
        found = []
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.locate(folder)) as scan:
            for one in scan:
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    facts = one.stat()
                    size = 0 if one.is_dir() else facts.st_size
                    found.append(Entry(one.name, size, facts.st_mtime, one.is_dir()))
        return sorted((one for one in found if not one.name.endswith(_PART)), key=lambda one: one.name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(os.path.join(self.root, name))

    def remove(self, name: str) -> None:
        """Remove a file or a folder; a folder is renamed first, so that readers never see a part of it."""
        path = self.locate(name)
        try:
            if path.is_dir():
                aside = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
                os.replace(path, aside)
                shutil.rmtree(aside)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(path, error) from error

    def lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[bool]:
        """A lock of the operating system: it is freed when its holder dies."""
        return locked(self.root / LOCKS / f"{name}.lock", wait=wait)

    def sweep(self, older_than: float) -> int:
        """Remove temporary files, and folders whose removal was interrupted."""
        before, count = time.time() - older_than, 0
        for path in list(self.root.rglob(f".*{_PART}")):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    count += 1
        return count

    def free(self) -> int | None:
        """Free bytes of the disk."""
        there = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        return shutil.disk_usage(there).free


@dataclass(frozen=True, slots=True)
class RemoteStorage:
    """A location of an fsspec filesystem. Files appear when they are complete; there is no rename and no lock.

    Locks are leases, see `leases`.
    """

    url: str
    filesystem: Any
    path: str
    leases: Leases = field(compare=False)

    @classmethod
    def open_url(cls, url: str) -> RemoteStorage:
        """The storage of a URL; ConfigError for an unknown protocol, MissingExtra if its library is missing."""
        import fsspec

        try:
            filesystem, path = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise MissingExtra(
                f"{VARIABLE}={_without_password(url)!r} needs a library that is not installed ({error})"
            ) from error
        except ValueError as error:
            raise ConfigError(
                f"{VARIABLE}={_without_password(url)!r}: not a place that fsspec knows ({error})"
            ) from error
        return cls(_without_password(url.rstrip("/")), filesystem, path.rstrip("/"), Leases(filesystem))

    def locate(self, name: str) -> str:
        """The URL."""
        return f"{self.url}/{name}"

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        with remote_errors(f"read {self.locate(name)}"):
            return self.filesystem.cat_file(self._at(name))

    def open(self, name: str) -> IO[bytes]:
        """The file, downloaded as a whole: shards are small, and every request costs time."""
        return io.BytesIO(self.read(name))

    def buffer(self, name: str) -> pa.Buffer:
        """The bytes of a file as an Arrow buffer."""
        import pyarrow as pa

        return pa.py_buffer(self.read(name))

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Write the file atomically."""
        with remote_errors(f"write {self.locate(name)}"):
            self.filesystem.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
            self.filesystem.pipe_file(self._at(name), bytes(data))

    def entries(self, folder: str) -> list[Entry]:
        """Entries of a folder by name."""
        try:
            with remote_errors(f"list {self.locate(folder)}"):
                self.filesystem.invalidate_cache()
                listed = self.filesystem.ls(self._at(folder), detail=True)
        except FileNotFoundError:
            return []
        # S3 has no folders: some programs create an empty file with the folder's name
        found = [_entry(one) for one in listed if one["name"].strip("/") != self._at(folder).strip("/")]
        return sorted(found, key=lambda one: one.name)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        with remote_errors(f"look for {self.locate(name)}"):
            self.filesystem.invalidate_cache()
            return self.filesystem.isfile(self._at(name))

    def remove(self, name: str) -> None:
        """Remove a file or a folder with its content."""
        with contextlib.suppress(FileNotFoundError), remote_errors(f"remove {self.locate(name)}"):
            self.filesystem.rm(self._at(name), recursive=True)

    def lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[bool]:
        """A lease: it can be taken over when its heartbeat stops."""
        return self.leases.hold(self._at(f"{LOCKS}/{name}.lock"), wait=wait)

    def sweep(self, older_than: float) -> int:
        """No-op: files appear when they are complete."""
        return 0

    def free(self) -> int | None:
        """Free space is unknown."""
        return None

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}"


def _without_password(url: str) -> str:
    """The URL without its password: `sftp://me:secret@host/x` → `sftp://me:***@host/x`."""
    return re.sub(r"(://[^/@:]*:)[^/@]*@", r"\1***@", url)


def _entry(listed: Mapping[str, Any]) -> Entry:
    name = listed["name"].rstrip("/").rpartition("/")[2]
    changed = next((listed[key] for key in ("LastModified", "mtime", "created") if listed.get(key)), None)
    moment = changed.timestamp() if hasattr(changed, "timestamp") else float(changed or 0)
    return Entry(name, listed.get("size") or 0, moment, listed["type"] == "directory")


def open_storage() -> Storage:
    """The storage of `$DATASET_DM_HOME`: a URL such as `s3://bucket/folder`, or a folder, see `home.home`."""
    given = os.environ.get(VARIABLE, "")
    return RemoteStorage.open_url(given) if "://" in given else LocalStorage(home())

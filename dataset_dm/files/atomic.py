"""Atomic file writes: temporary file, fsync, rename; and file locks."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dataset_dm.errors import StoreError, UserError, reason_of

# no space, quota reached, file too large for the file system or the process
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomically(file: Path, data: bytes | memoryview) -> None:
    """Write `data` to `file` and create its folder; readers see the old file or the new one, never a part.

    Raises StoreError when the disk is full or the folder cannot be written; no temporary file remains.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp")
    except OSError as error:
        raise store_error(file, error) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())  # mkstemp gives 0600, which would close a shared store to other users
        os.replace(name, file)
        _sync_folder(file.parent)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise store_error(file, error) from error
        raise


def store_error(file: Path, error: OSError) -> StoreError:
    """The error for a file that could not be written."""
    if error.errno in _FULL:
        return StoreError(
            f"disk full while writing {file} ({error.strerror}); free some space, or point $DATASET_DM_HOME to a "
            "larger disk, and run the same command again: finished shards are kept"
        )
    return StoreError(f"cannot write {file} ({error.strerror or error}); check the permissions of {file.parent}")


@contextlib.contextmanager
def remote_errors(what: str) -> Iterator[None]:
    """Turn exceptions of a remote filesystem's library into a StoreError of one line: `what` could not be done.

    Each library has its own exceptions: no credentials, no answer, no such bucket. FileNotFoundError, FileExistsError
    and UserErrors are passed on.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError, UserError):
        raise
    except Exception as error:
        remedy = "check the address, the network and your rights there"
        raise StoreError(f"cannot {what} ({reason_of(error)}); {remedy}") from error


def disk_full(error: OSError) -> StoreError | None:
    """The StoreError for a library's OSError that means a full disk, else None."""
    return store_error(Path(error.filename or "a file"), error) if error.errno in _FULL else None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename durable. No-op on Windows."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock between processes; the operating system frees it when the holder dies.

    Yields True while the lock is held; without `wait`, False if another process holds it. Raises StoreError when the
    lock file cannot be created.
    """
    from filelock import FileLock, Timeout

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        with contextlib.suppress(Timeout):
            lock.acquire(blocking=wait)
    except NotImplementedError as error:  # raised by older versions of filelock
        remedy = "point $DATASET_DM_HOME to a local disk, or to a URL"
        raise StoreError(f"the file system of {file.parent} has no locks; {remedy}") from error
    except OSError as error:
        raise store_error(file, error) from error
    try:
        yield lock.is_locked
    finally:
        lock.release()

"""Atomic writes, locks, and errors of remote filesystems."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError, StoreError
from dataset_dm.files.atomic import locked, remote_errors, write_atomically

ROOT = Path(__file__).resolve().parents[2]


def test_an_old_file_is_replaced_without_leftovers(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.bin"
    write_atomically(file, b"one")
    write_atomically(file, memoryview(b"two"))
    assert file.read_bytes() == b"two"
    assert [entry.name for entry in file.parent.iterdir()] == ["a.bin"]


def test_a_file_in_the_way_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    with pytest.raises(StoreError, match="cannot write .*blocked") as caught:
        write_atomically(tmp_path / "blocked" / "a.bin", b"x")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    code = f"""
import resource
from pathlib import Path
from dataset_dm.files.atomic import write_atomically
file = Path({str(tmp_path)!r}) / "a.bin"
write_atomically(file, b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(file, bytes(5000))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("StoreError disk full while writing") and "finished shards are kept" in done.stdout
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.bin": b"old"}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "disk full while writing .*a.bin .No space left on device.; free some space"),
        (errno.EDQUOT, "disk full while writing .*a.bin .*quota.*; free some space"),
        (errno.EROFS, "cannot write .*a.bin .Read-only file system.; check the permissions"),
    ],
)
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    file = tmp_path / "a.bin"
    write_atomically(file, b"old")

    def refused(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refused)
    with pytest.raises(StoreError, match=message):
        write_atomically(file, b"new")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.bin": b"old"}


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **more: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", missing)
    with pytest.raises(StoreError, match="the file system of .* has no locks; point .DATASET_DM_HOME to"):
        with locked(tmp_path / "x.lock"):
            pass


@pytest.mark.parametrize("passed", [FileNotFoundError("x"), FileExistsError("x"), ConfigError("x")])
def test_expected_errors_pass(passed: Exception) -> None:
    with pytest.raises(type(passed)) as caught, remote_errors("read s3://x"):
        raise passed
    assert caught.value is passed


def test_other_errors_of_a_remote_filesystem_are_one_line() -> None:
    with pytest.raises(StoreError) as caught, remote_errors("read s3://x"):
        raise RuntimeError("no\n  credentials")
    assert (
        str(caught.value) == "cannot read s3://x (no credentials); check the address, the network and your rights there"
    )

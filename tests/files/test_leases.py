"""Locks with a heartbeat, on a filesystem that has no locks."""

import time
import uuid

import fsspec
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.files.leases import Leases


@pytest.fixture
def place() -> tuple[object, str]:
    return fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}/locks/one.lock"


def test_a_lease_beats_while_it_is_held_and_is_removed_afterwards(place: tuple) -> None:
    filesystem, path = place
    leases = Leases(filesystem, beat=0.02)
    with leases.hold(path) as mine:
        first = filesystem.cat_file(path)
        time.sleep(0.2)
        later = filesystem.cat_file(path)
        assert mine and first != later and first.split()[:3] == later.split()[:3]
    assert not filesystem.exists(path)


def test_a_living_holder_is_waited_for_and_a_dead_one_is_not(place: tuple) -> None:
    filesystem, path = place
    living, other = Leases(filesystem, beat=0.02, dead=0.3), Leases(filesystem, beat=0.02, dead=0.3)
    with living.hold(path):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            with other.hold(path, wait=False) as mine:
                assert not mine
    filesystem.pipe_file(path, b"host 1 abc 7")  # its holder was killed
    start = time.monotonic()
    with other.hold(path) as mine:
        assert mine and time.monotonic() - start >= 0.3
    assert not filesystem.exists(path)


def test_a_lease_that_was_taken_over_is_not_removed_by_its_former_holder(place: tuple) -> None:
    filesystem, path = place
    with Leases(filesystem).hold(path):
        filesystem.pipe_file(path, b"host 2 def 0")
    assert filesystem.cat_file(path) == b"host 2 def 0"


def test_a_lease_outlasts_failed_heartbeats(place: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem, path = place

    def silent(*names: object) -> bytes:
        raise ConnectionError("no answer")

    with Leases(filesystem, beat=0.02).hold(path):
        with monkeypatch.context() as patch:
            patch.setattr(type(filesystem), "cat_file", silent)
            time.sleep(0.1)
        before = filesystem.cat_file(path)
        time.sleep(0.2)
        assert filesystem.cat_file(path) != before
    assert not filesystem.exists(path)


def test_a_holder_is_alive_though_clocks_jump(place: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem, path = place
    real, jumped = time.time, [0.0]
    monkeypatch.setattr("time.time", lambda: real() + jumped[0])
    holder, other = Leases(filesystem, beat=0.02), Leases(filesystem)
    with holder.hold(path):
        for jump in (86_400.0, -2 * 86_400.0):
            jumped[0] += jump
            time.sleep(0.05)
            with other.hold(path, wait=False) as mine:
                assert not mine


def test_a_failed_lock_is_one_line(place: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem, path = place

    def refused(*names: object, **more: object) -> None:
        raise RuntimeError("Unable to locate credentials")  # as botocore has it: no OSError

    monkeypatch.setattr(type(filesystem), "pipe_file", refused)
    with pytest.raises(StoreError, match="cannot lock .*one.lock .Unable to locate credentials.; check the address"):
        with Leases(filesystem).hold(path):
            pass

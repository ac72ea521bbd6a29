"""Locks with a heartbeat, on a filesystem that has no locks."""

import time
import uuid

import fsspec
import pytest

from dataset_dm.leases import Leases


@pytest.fixture
def place() -> tuple[object, str]:
    return fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}/locks/one.lock"


def test_a_lease_beats_while_it_is_held_and_is_gone_afterwards(place: tuple) -> None:
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

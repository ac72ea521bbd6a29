"""The sets of the explorer's tests: written once, never changed."""

from pathlib import Path

import pytest

from dataset_dm.explore.sets import open_set
from dataset_dm.explore.view import Explorer
from tests.explore.sets import write


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five images."""
    return write(tmp_path_factory.mktemp("explore") / "one")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first four of them by an annotator that sees no dog."""
    return write(tmp_path_factory.mktemp("explore") / "other", rows=(0, 1, 2, 3), annotator="second", without=2)


@pytest.fixture(scope="session")
def explorer(one: Path) -> Explorer:
    return Explorer(open_set(str(one)))


@pytest.fixture(scope="session")
def both(one: Path, other: Path) -> Explorer:
    return Explorer(open_set(str(one)), open_set(str(other)))

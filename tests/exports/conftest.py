"""The set made by hand, and its export in every format: written once, never changed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.exports import FORMATS, Imported, export_set, import_set
from tests.exports.reviews import Review
from tests.exports.sets import (
    rows_of,
    submitted,
    write_semantic,
    write_set,
)


@pytest.fixture(scope="session")
def hand_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kinds of labels."""
    return write_set(tmp_path_factory.mktemp("sets") / "hand")


@pytest.fixture(scope="session")
def semantic_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class maps alone."""
    return write_semantic(tmp_path_factory.mktemp("sets") / "semantic")


@pytest.fixture(scope="session")
def exports(hand_set: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Format → the export of the set, submitted where that is a step."""
    root = tmp_path_factory.mktemp("exports")
    return {name: submitted(export_set(str(hand_set), name, root / name).folder, name) for name in FORMATS}


@pytest.fixture
def review(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> Review:
    """Copies an export, lets a person correct it, brings it back: what changed, and the rows of train."""

    def run(name: str, correct: Callable[[Path], Any]) -> tuple[Imported, list[dict[str, Any]]]:
        shutil.copytree(exports[name], tmp_path / "files")
        correct(tmp_path / "files")
        done = import_set(tmp_path / "files", name, str(hand_set), tmp_path / "new")
        return done, rows_of(tmp_path / "new")["train"]

    return run

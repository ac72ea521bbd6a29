"""The set made by hand, and its export in every format: written once, never changed."""

from pathlib import Path

import pytest

from dataset_dm.exports import FORMATS, export_set
from tests.exports.sets import submitted, write_semantic, write_set


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

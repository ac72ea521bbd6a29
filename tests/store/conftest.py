"""A copy of the store that an earlier version filled: two samples of each of three plans."""

import shutil
from pathlib import Path

import pytest

from dataset_dm.store.inventory import StoredPlan, stored_plans

FILLED = Path(__file__).parents[1] / "fixtures" / "stored_2026_11_30" / "home"
ALL_LABELS = "250fa101479a86d7"  # label fingerprint of the plan with every kind of label


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy, as this process's store."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(FILLED, tmp_path / "home"))


@pytest.fixture
def stored(home: Path) -> StoredPlan:
    """The plan with every kind of label."""
    (found,) = stored_plans(ALL_LABELS)
    return found

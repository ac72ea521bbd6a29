"""Arguments of `zero_shot` and `long_tail`: defaults, checks, and which config has which."""

from pathlib import Path

import pytest

from dataset_dm.arguments.declare import checked, entries
from dataset_dm.errors import ConfigError
from dataset_dm.training.scarce_arguments import LONG_TAIL, TABLES, ZERO_SHOT


def test_each_config_has_its_own() -> None:
    common = {"labelled", "num_labelled", "training"}
    assert set(entries(TABLES[ZERO_SHOT])) == common | {"unseen"}
    assert set(entries(TABLES[LONG_TAIL])) == common | {"imbalance", "rebalance"}


def test_defaults() -> None:
    given = checked(TABLES[LONG_TAIL], {})
    assert (given["labelled"], given["imbalance"], given["rebalance"]) == ("miniature", 10.0, True)


def test_a_folder_is_kept_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    given = [checked(TABLES[ZERO_SHOT], {"labelled": one})["labelled"] for one in ("mine", "owner/name", "miniature")]
    assert given == [str(tmp_path / "mine"), "owner/name", "miniature"]
    with pytest.raises(ConfigError, match="labelled: got 3, expected 'miniature', a folder or a Hub id"):
        checked(TABLES[ZERO_SHOT], {"labelled": 3})

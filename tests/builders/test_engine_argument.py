"""`engine=` of a builder: who makes the rows never changes them, and is part of no cache folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from datasets import load_dataset

import dataset_dm  # noqa: F401  registers the names
from dataset_dm.errors import ConfigError

NAME = "dataset_dm/voc_synth"


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_worker_processes_make_the_same_rows(
    quick: dict, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = {"name": "processes", "workers": 2, "threads": 1}
    tables, folders = [], []
    small = {**quick, "batch_size": 1, "shard_size": 2}
    for place, more in (("here", {}), ("there", {"engine": two})):
        monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / place / "home"))
        cache = tmp_path / place / "cache"
        rows = load_dataset(NAME, split="train", num_images=3, cache_dir=str(cache), **more, **small)
        tables.append(rows.data.table)
        folders.append(sorted(path.name for path in (cache / "dataset_dm___voc_synth").iterdir()))
    assert tables[0].equals(tables[1]) and tables[0].num_rows == 3
    assert folders[0] == folders[1]


def test_an_unknown_engine_is_one_line(quick: dict, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="engine: got 'rey'.*did you mean 'ray'"):
        load_dataset(NAME, split="train", num_images=2, cache_dir=str(tmp_path), engine="rey", **quick)

"""The shard store: finished or absent, described by its manifest."""

import json
import multiprocessing
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.store.shards import ShardStore

TABLE = pa.table({"index": pa.array([16, 17]), "image": pa.array([b"a" * 50, b"b" * 50])})


def store(root: Path) -> ShardStore:
    return ShardStore.open("images", "f" * 16, root)


def test_what_is_written_is_read_back_and_counted(tmp_path: Path) -> None:
    shards = store(tmp_path)
    assert shards.missing("train", range(3)) == [0, 1, 2]
    shards.write("train", 1, TABLE, {"environment": "e"})
    assert shards.missing("train", range(3)) == [0, 2]
    assert shards.has("train", 1) and not shards.has("test", 1)
    assert shards.read("train", 1).to_pylist() == TABLE.to_pylist()
    assert shards.read("train", 1, ["index"]).column_names == ["index"]
    assert shards.made("train", 1) == {"environment": "e"}
    assert shards.file("train", 1) == tmp_path / "images" / ("f" * 16) / "train" / "00001.parquet"


def test_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    for root in ("a", "b"):
        store(tmp_path / root).write("train", 0, TABLE, {"environment": "e", "halved_batch": 2})
    first, second = (store(tmp_path / root).file("train", 0).read_bytes() for root in ("a", "b"))
    assert first == second


def test_a_damaged_shard_is_named_with_its_remedy(tmp_path: Path) -> None:
    shards = store(tmp_path)
    shards.write("train", 0, TABLE, {})
    file = shards.file("train", 0)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StoreError, match="00000.parquet cannot be read .*; delete .* and run the same command again"):
        shards.read("train", 0)
    with pytest.raises(StoreError, match="cannot be read"):
        shards.read("train", 5)


def test_the_home_variable_decides_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "here"))
    assert ShardStore.open("labels", "x").folder == tmp_path / "here" / "labels" / "x"


def test_the_manifest_gathers_environments(tmp_path: Path) -> None:
    shards = store(tmp_path)
    assert shards.manifest() == {}
    shards.describe({"seed": 1}, "one", {"device": "A", "threads": 2})
    shards.describe({"seed": 1}, "two", {"device": "B", "threads": 1})
    shards.describe({"seed": 1}, "one", {"device": "A", "threads": 2})
    manifest = json.loads((shards.folder / "manifest.json").read_text())
    assert manifest["plan"] == {"seed": 1} and manifest["kind"] == "images"
    assert manifest["environments"] == {"one": {"device": "A", "threads": 2}, "two": {"device": "B", "threads": 1}}


def _hold(root: Path, log: Path) -> None:
    with store(root).lock("train-0"), open(log, "a") as file:
        file.write("in ")
        file.flush()
        file.write("out ")


def test_one_process_at_a_time_makes_a_shard(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path, log)) for _ in range(2)]
    with store(tmp_path).lock("train-0"):
        for process in processes:
            process.start()
        processes[0].join(timeout=1)
        assert not log.exists()
    for process in processes:
        process.join()
    assert log.read_text() == "in out in out "

"""Storage: one interface over a folder and over any fsspec filesystem."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.errors import ConfigError, StoreError
from dataset_dm.files.storage import LocalStorage, RemoteStorage, Storage, open_storage
from dataset_dm.store.shards import ShardStore
from tests.s3 import new_bucket, point_to, s3_server

TABLE = pa.table({"index": pa.array([0, 1]), "image": pa.array([b"a" * 50, b"b" * 50])})


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    pytest.importorskip("moto")
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "folder":
        return LocalStorage(tmp_path / "home")
    name = uuid.uuid4().hex
    if request.param == "memory":
        return RemoteStorage.open_url(f"memory://{name}/home")
    point_to(request.getfixturevalue("s3"), monkeypatch)
    return RemoteStorage.open_url(f"{new_bucket(name)}/home")


def test_files_are_written_listed_read_and_removed(storage: Storage) -> None:
    assert storage.entries("a") == [] and not storage.exists("a/b/one")
    storage.write("a/b/one", b"1234")
    storage.write("a/two", memoryview(b"12"))
    storage.write("a/two", b"123")
    assert storage.read("a/b/one") == b"1234" and storage.exists("a/two") and not storage.exists("a/b")
    found = storage.entries("a")
    assert [(one.name, one.size, one.is_folder) for one in found] == [("b", 0, True), ("two", 3, False)]
    assert found[1].changed > 1.6e9
    with storage.open("a/b/one") as stream:
        stream.seek(2)
        assert stream.read() == b"34"
    with pytest.raises(FileNotFoundError):
        storage.read("a/three")
    storage.remove("a/two")
    storage.remove("a/two")
    assert [one.name for one in storage.entries("a")] == ["b"]
    storage.remove("a")
    assert storage.entries("a") == [] and not storage.exists("a/b/one")


def test_one_holder_at_a_time(storage: Storage) -> None:
    with storage.lock("x") as mine, storage.lock("x", wait=False) as other, storage.lock("y", wait=False) as another:
        assert (mine, other, another) == (True, False, True)
    with storage.lock("x", wait=False) as mine:
        assert mine


def test_a_shard_store_works_on_either(storage: Storage) -> None:
    shards = ShardStore.open("images", "f" * 16, storage)
    shards.describe({"seed": 1}, "one", {"threads": 2}, wanted={"train": 32})
    shards.write("train", 1, TABLE, {"environment": "one"}, dropped={"unsafe": 1}, seconds={"draw": 1.25})
    assert shards.missing("train", range(3)) == [0, 2] and shards.splits() == ["train"]
    assert shards.read("train", 1, ["index"]).to_pydict() == {"index": [0, 1]}
    assert shards.made("train", 1) == {"environment": "one"}
    record = shards.record("train", 1)
    assert (record.rows, record.dropped, record.seconds) == (2, {"unsafe": 1}, {"draw": 1.25})
    assert shards.finished("train") == {1: record.size}
    with shards.lock("train-3"), shards.in_use("me"):
        assert sorted(shards.held()) == ["run-me", "train-3"]
    assert shards.held() == []
    shards.remove("train", 1)
    assert shards.finished("train") == {} and shards.record("train", 1) is None


def test_the_home_variable_may_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", "memory://bucket/here/")
    storage = open_storage()
    assert storage.locate("labels/x") == "memory://bucket/here/labels/x" and storage.free() is None
    monkeypatch.setenv("DATASET_DM_HOME", "nowhere://bucket")
    with pytest.raises(ConfigError, match="DATASET_DM_HOME='nowhere://bucket': not a place that fsspec knows"):
        open_storage()
    monkeypatch.setenv("DATASET_DM_HOME", "nowhere://me:secret@host/x")
    with pytest.raises(ConfigError, match="nowhere://me:\\*\\*\\*@host/x") as caught:
        open_storage()
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(tmp_path)
    storage.write("a/one", b"1")

    def refused(*paths: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refused)
    with pytest.raises(StoreError, match="cannot write .*/a .Permission denied.; check the permissions"):
        storage.remove("a")


def test_old_temporary_files_are_swept(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.write("a/one", b"1")
    for name in ("a/.two.x.tmp", "a/.three.y.tmp"):
        storage.locate(name).write_bytes(b"half")
    os.utime(storage.locate("a/.two.x.tmp"), (1.0, 1.0))
    assert [one.name for one in storage.entries("a")] == ["one"]
    assert storage.sweep(3600) == 1 and storage.sweep(3600) == 0
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == [".three.y.tmp", "one"]

"""`dataset-dm gc`: what is old goes, after asking; what is in use or needed stays."""

import io
import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.store.shards import ShardStore
from tests.cli.store import call

TABLE = pa.table({"index": pa.array([0]), "image": pa.array([b"x" * 2000])})
OLD, NEW = "0" * 16, "1" * 16  # labels
SHARED, OTHER = "a" * 16, "b" * 16  # images


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two plans read their labels from the same images, a third has its own; two of them are 40 days old."""
    home = tmp_path / "home"
    monkeypatch.setenv("DATASET_DM_HOME", str(home))
    for kind, fingerprint, images in (
        ("images", SHARED, None),
        ("images", OTHER, None),
        ("labels", OLD, SHARED),
        ("labels", NEW, SHARED),
        ("labels", "2" * 16, OTHER),
    ):
        store = ShardStore.open(kind, fingerprint, home)
        store.describe({"steps": 1}, images=images)
        store.write("train", 0, TABLE, {})
    for name in (f"labels/{OLD}", f"labels/{'2' * 16}", f"images/{SHARED}", f"images/{OTHER}"):
        age(home / name, 40)
    return home


def age(folder: Path, days: float) -> None:
    moment = time.time() - days * 24 * 3600
    for file in folder.rglob("*"):
        os.utime(file, (moment, moment))


def there(home: Path) -> set[str]:
    return {folder.name for kind in ("images", "labels") for folder in (home / kind).iterdir()}


def test_old_plans_go_and_images_that_labels_need_stay(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gc", "--yes") == 0
    said = capsys.readouterr().out
    assert f"labels/{OLD}  " in said and f"images/{OTHER}  " in said and "unchanged for 40 days" in said
    assert "removed 3 folders, " in said and "KB" in said
    assert there(home) == {NEW, SHARED}
    assert [name.name for name in (home / "labels").iterdir()] == [NEW], "nothing is left half-removed"
    assert not list((home / "locks").glob(f"*{OLD}-train*"))


def test_a_plan_in_use_is_never_touched(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ShardStore.open("labels", OLD, home)
    with store.in_use("somebody"), ShardStore.open("images", OTHER, home).lock("train-3"):
        assert call("gc", "--yes") == 0
        assert there(home) == {OLD, NEW, SHARED, OTHER}
    assert "labels/2222" in capsys.readouterr().out
    assert call("gc", "--yes") == 0
    assert there(home) == {NEW, SHARED}


def test_it_asks_first(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = there(home)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # a pipe: no user sees the question
    assert call("gc") == 2
    assert "pass --yes" in capsys.readouterr().err and there(home) == before
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, left in (("", before), ("n", before), ("y", {NEW, SHARED})):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert call("gc") == 0
        assert there(home) == left


def test_only_what_was_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gc", OLD, "--yes") == 0
    assert there(home) == {NEW, SHARED, OTHER, "2" * 16}
    assert call("gc", "--older-than", "-1") == 2
    assert call("gc", "--older-than", "365") == 0
    assert "no plan is older than 365 days and out of use" in capsys.readouterr().out


def test_no_plan_is_deleted_while_a_newer_version_s_needs_are_unknown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = home / "labels" / NEW / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    before = there(home)
    assert call("gc", "--yes") == 2
    assert "has format 2: expected at most 1; upgrade" in capsys.readouterr().err and there(home) == before

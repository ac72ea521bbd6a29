"""`dataset-dm status`: what is done, missing, how fast, where the time went."""

from pathlib import Path

import pytest

from dataset_dm.cli.status import duration, size
from dataset_dm.engine import Engine
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import note_wanted, stores
from tests.cli.store import call, copy_store, make_store, shard_file


@pytest.fixture(scope="module")
def made(models: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[GenerationPlan, Path]:
    home = tmp_path_factory.mktemp("store") / "home"
    return make_store(models, home), home


@pytest.fixture
def plan(made: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationPlan:
    copy_store(made[1], tmp_path / "home", monkeypatch)
    return made[0]


def test_done_missing_time_and_disk(plan: GenerationPlan, capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = stores(plan)
    shard_file(plan, "labels", "train", 1).unlink()
    assert call("status") == 0
    said = capsys.readouterr().out
    assert f"{plan.label_fingerprint}  {labels.folder}" in said
    assert "train      1 shards of 2 done of 2 for 3 rows, 1 missing" in said
    assert "test       1 shards of 2 done of 1 for 1 rows\n" in said
    assert "images/s in the latest run" in said and "left at this rate" in said
    assert "draw " in said and "read " in said and "label " in said and "write " in said and "encode " in said
    total = sum(file.stat().st_size for file in images.folder.rglob("*.parquet"))
    assert f"images {size(total)}, labels " in said and " free" in said


def test_what_was_asked_for_last_counts_though_all_was_there(
    plan: GenerationPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    note_wanted(plan, {"train": 1})
    assert call("status") == 0
    said = capsys.readouterr().out
    assert "train      2 shards of 2 done of 2 for 1 rows\n" in said
    assert "test       1 shards of 2 done of 1 for 1 rows\n" in said


def test_a_plan_is_found_by_its_folder_its_fingerprint_and_the_out_folder(
    plan: GenerationPlan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = stores(plan)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".dataset_dm.json").write_text(f'{{"labels": "{plan.label_fingerprint}"}}')
    for place in (labels.folder, images.folder, tmp_path / "home", tmp_path / "set", plan.label_fingerprint[:8]):
        assert call("status", str(place)) == 0
        assert "store" in capsys.readouterr().out.splitlines()[-1]
    assert call("status", str(tmp_path / "nowhere")) == 2
    assert "nowhere: not found in" in capsys.readouterr().err


def test_an_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "new"))
    assert call("status") == 0
    assert capsys.readouterr().out.startswith(f"store {tmp_path / 'new'}: 0 plans, ")
    assert not (tmp_path / "new").exists()


def test_a_manifest_that_was_changed_or_is_newer_is_one_line(
    plan: GenerationPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = stores(plan)[1].folder / "manifest.json"
    text = manifest.read_text()
    for changed, said in (
        (text.replace('"steps": 1', '"steps": 9'), "not the folder's; it was changed by hand; move it away and run"),
        (text.replace('"format": 1', '"format": 2'), "manifest.json has format 2: expected at most 1; upgrade"),
        (text[:-40], "holds no plan that can be read"),
    ):
        assert changed != text
        manifest.write_text(changed)
        assert call("status") == 2
        output = capsys.readouterr()
        assert output.err.startswith("error: ") and said in output.err and output.err.count("\n") == 1
        assert output.out.splitlines()[-1].startswith("store "), "all else is shown all the same"


def test_what_runs_at_this_moment(plan: GenerationPlan, capsys: pytest.CaptureFixture[str]) -> None:
    with Engine(plan, device="cpu") as engine, engine.labels.lock("train-7"):
        engine._hold()
        assert call("status") == 0
        assert "now        1 running, making train-7" in capsys.readouterr().out
    assert call("status") == 0
    assert "running" not in capsys.readouterr().out


def test_numbers_for_people() -> None:
    assert [size(n) for n in (5, 2048, 3 * 2**20, 5 * 2**40)] == ["5 bytes", "2.0 KB", "3.0 MB", "5.0 TB"]
    assert [duration(s) for s in (5, 600, 7322, 200_000)] == ["5.0 s", "10 min", "2 h 2 min", "2 d 8 h"]

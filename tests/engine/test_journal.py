"""What a run tells: records of logging, JSON lines, trackers."""

import json
from pathlib import Path

import pytest

from dataset_dm.engine import Engine, Work
from dataset_dm.engine.backlog import Backlog
from dataset_dm.engine.journal import Journal, tell
from dataset_dm.engine.log_file import JsonLines
from dataset_dm.errors import StoreError
from dataset_dm.store.plans import stores
from tests.engine.conftest import plan_of


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_run_shard_by_shard(quick: dict, tmp_path: Path, listen) -> None:
    plan = plan_of(quick)
    listen(JsonLines(tmp_path / "run.jsonl"))
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 5})
        engine.fill({"train": 5})
    begun, first, second, ended = lines(tmp_path / "run.jsonl")
    assert (begun["event"], begun["shards"], begun["samples"]) == ("begun", 2, 8)
    assert (begun["engine"], begun["labels"]) == ("local", plan.label_fingerprint)
    assert [(one["event"], one["split"], one["shard"], one["outcome"]) for one in (first, second)] == [
        ("shard", "train", 0, "made"),
        ("shard", "train", 1, "made"),
    ]
    assert first["seconds"]["draw"] > 0 and first["samples"] == 4 and "dropped" not in first
    assert (ended["event"], ended["made"], ended["level"]) == ("ended", 2, "info") and "error" not in ended
    assert all(one["time"].startswith("20") and one["time"].endswith("+00:00") for one in (begun, ended))


def test_losses_and_a_run_that_breaks_off(quick: dict, tmp_path: Path, listen) -> None:
    listen(JsonLines(tmp_path / "run.jsonl"))
    plan, work = plan_of(quick), Work("train", 3, draw=True)
    journal = Journal(plan, *stores(plan))
    backlog = Backlog([work], lambda one: False, 4, journal=journal)
    while (one := backlog.take(wait=False)) is not None:
        backlog.failed(one, "the worker process ended with code -9")
    journal.ended(0, {"draw": 1.23456}, StoreError("disk full"))
    *lost, ended = lines(tmp_path / "run.jsonl")
    assert [(one["event"], one["shard"], one["again"], one["level"]) for one in lost] == [
        ("lost", 3, True, "warning"),
        ("lost", 3, True, "warning"),
        ("lost", 3, False, "warning"),
    ]
    assert lost[0]["why"] == "the worker process ended with code -9"
    assert (ended["error"], ended["level"], ended["seconds"]) == ("StoreError: disk full", "error", {"draw": 1.235})


def test_a_log_file_that_cannot_be_opened_or_is_full(
    tmp_path: Path, listen, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError, match="cannot write .*run.jsonl"):
        JsonLines(tmp_path / "no folder" / "run.jsonl")
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full here")
    listen(JsonLines(Path("/dev/full")))
    tell("begun", "one")
    tell("begun", "two")
    said = capsys.readouterr().err
    assert said.count("warning: /dev/full cannot be written") == 1 and "Traceback" not in said

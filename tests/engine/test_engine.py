"""One plan, several runs: they share the work, say what differs, and end in the same bytes."""

import json
import subprocess
import sys
import uuid
import warnings
from pathlib import Path

import pytest

from dataset_dm.engine import Engine, Work, stores
from tests.engine.conftest import files, plan_of

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
from dataset_dm.engine import Engine
from dataset_dm.request import plan_from_dict
plan = plan_from_dict(json.loads(sys.argv[1]))
with Engine(plan, device="cpu", engine={"threads": 1}) as engine:
    engine._maker.session().backbone  # so that both start at the same time
    print("ready", flush=True)
    sys.stdin.readline()
    print(engine.fill({"train": 32}))
"""


def test_two_runs_at_once_share_the_work_and_double_none_of_it(
    quick: dict, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(quick, shard_size=2)
    command = [sys.executable, "-c", RUN, json.dumps(plan.to_dict())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    runs = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    made = [int(run.communicate(timeout=300)[0]) for run in runs]
    assert sum(made) == 16 and min(made) > 0
    together = files(plan)
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "alone"))
    with Engine(plan, device="cpu") as engine:
        assert engine.fill({"train": 32}) == 16
    assert files(plan) == together


def test_a_killed_holder_holds_nothing(quick: dict) -> None:
    plan = plan_of(quick)
    code = """
import json, os, signal, sys
from dataset_dm.engine import stores
from dataset_dm.request import plan_from_dict
images, labels = stores(plan_from_dict(json.loads(sys.argv[1])))
with labels.lock("train-0"), images.lock("train-0"), images.in_use("me"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, json.dumps(plan.to_dict())], cwd=ROOT)
    images, labels = stores(plan)
    assert (images.storage.root / "locks" / f"labels-{labels.fingerprint}-train-0.lock").exists()
    assert images.held() == labels.held() == []
    with Engine(plan, device="cpu") as engine:
        assert engine.fill({"train": 1}) == 1


def test_other_conditions_are_said_once_and_the_set_goes_on(quick: dict) -> None:
    plan = plan_of(quick, shard_size=2)
    for store in stores(plan):
        store.describe(plan.to_dict(), "there", {"device": "A", "threads": 99, "versions": {"torch": "1.0"}})
    said = r"begun under other conditions \(.*threads was 99 and is .*torch was '1.0' and is '.*within 2/255"
    with Engine(plan, device="cpu") as engine:
        with pytest.warns(UserWarning, match=said) as warned:
            assert engine.fill({"train": 6}) == 3
        assert len(warned) == 1
    with warnings.catch_warnings(), Engine(plan, device="cpu") as engine:
        warnings.simplefilter("error")  # these conditions are known by now
        assert engine.fill({"train": 8}) == 1


def test_a_record_says_what_a_shard_is_and_cost(quick: dict) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 5})
        total = engine.seconds
    records = [store.record("train", shard) for store in stores(plan) for shard in (0, 1)]
    assert all(record.rows == 4 and record.finished > 1.6e9 and record.host for record in records)
    for stage in ("draw", "read", "label", "encode"):
        spent = [record.seconds[stage] for record in records[2:]]
        assert sum(spent) == pytest.approx(total[stage], abs=1e-3) and min(spent) > 0
    assert stores(plan)[1].manifest()["wanted"] == {"train": 5}
    assert stores(plan)[1].manifest()["images"] == plan.image_fingerprint()


def test_only_labels_are_made_anew_where_only_they_are_asked_for(quick: dict) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 4})
        images, labels = stores(plan)
        times = [store.file("train", 0).stat().st_mtime_ns for store in (images, labels)]
        assert engine.complete([Work("train", 0, draw=False, anew=True)]) == 1
        after = [store.file("train", 0).stat().st_mtime_ns for store in (images, labels)]
    assert after[0] == times[0] and after[1] > times[1]


def test_a_store_at_a_url_holds_the_same_bytes(quick: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 5})
    here = files(plan)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATASET_DM_HOME", f"memory://{uuid.uuid4().hex}")
    with Engine(plan, device="cpu") as engine:
        assert engine.fill({"train": 5}) == 2 and engine.fill({"train": 5}) == 0
        assert [table.num_rows for table in engine.read("train", 1)] == [4, 4]
    assert files(plan) == here
    assert stores(plan)[0].held() == []

"""One plan, several runs: they share the work, say what differs, and end in the same bytes."""

import contextlib
import errno
import io
import json
import os
import subprocess
import sys
import uuid
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_dm.engine import Engine, Work
from dataset_dm.errors import StoreError
from dataset_dm.labels.tasks import TASKS, unfilled_columns
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.store.inventory import stored_plans
from dataset_dm.store.plans import stores
from dataset_dm.store.schema import LABEL_ROWS, completed
from dataset_dm.store.status import survey
from tests.engine.conftest import files, plan_of
from tests.s3 import new_bucket, point_to, s3_server

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
from dataset_dm.engine import Engine
from dataset_dm.plan.generation_plan import plan_from_dict
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


@pytest.mark.parametrize(
    "name", ["voc_synth/semantic", "coco_synth/instance", "coco_synth/keypoints", "nyu_synth/depth"]
)
def test_label_columns_that_no_task_fills_are_not_stored(quick: dict, name: str) -> None:
    quick.pop("device")
    plan = resolve_recipe(recipe(*name.split("/")), **{**quick, "shard_size": 2})
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 1})
        _, read = engine.read("train", 0)
        stored = engine.labels.read("train", 0)
        assert read.equals(completed(stored)) and read.schema == LABEL_ROWS
        lacking = set(LABEL_ROWS.names) - set(stored.column_names)
        assert lacking == unfilled_columns(plan.tasks) and len(lacking) >= 2
        assert all(stored.column(column).null_count < 2 for one in plan.tasks for column in TASKS[one].columns)
        engine.labels.file("train", 0).write_bytes(parquet(read))  # as earlier versions stored it
        assert engine.read("train", 0)[1].equals(read)


def test_a_killed_holder_holds_nothing(quick: dict) -> None:
    plan = plan_of(quick)
    code = """
import json, os, signal, sys
from dataset_dm.store.plans import stores
from dataset_dm.plan.generation_plan import plan_from_dict
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
        warnings.simplefilter("error")  # these conditions were reported before
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
    assert stores(plan)[1].manifest()["images"] == plan.image_fingerprint


def test_only_labels_are_made_again_when_only_they_are_requested(quick: dict) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 4})
        images, labels = stores(plan)
        times = [store.file("train", 0).stat().st_mtime_ns for store in (images, labels)]
        assert engine.complete([Work("train", 0, draw=False, redo=True)]) == 1
        after = [store.file("train", 0).stat().st_mtime_ns for store in (images, labels)]
    assert after[0] == times[0] and after[1] > times[1]


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_a_store_at_a_url_holds_the_same_bytes(
    quick: dict, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 5})
    here = files(plan)
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as started:
        url = f"memory://{uuid.uuid4().hex}"
        if kind == "s3":
            pytest.importorskip("moto")
            point_to(started.enter_context(s3_server()), monkeypatch)
            url = new_bucket(uuid.uuid4().hex)
        monkeypatch.setenv("DATASET_DM_HOME", url)
        with Engine(plan, device="cpu") as engine:
            assert engine.fill({"train": 5}) == 2 and engine.fill({"train": 5}) == 0
            assert [table.num_rows for table in engine.read("train", 1)] == [4, 4]
        assert files(plan) == here
        assert stores(plan)[0].held() == []


def test_a_file_of_something_else_is_named_and_stays(quick: dict) -> None:
    plan = plan_of(quick)
    images, labels = stores(plan)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 1})
        file, foreign = labels.file("train", 0), pa.table({"index": range(4), "label": ["a"] * 4})
        good = file.read_bytes()
        for content, said in (
            (parquet(foreign), r"00000.parquet is of something else .columns .* differ.; move it away"),
            (
                parquet(labels.read("train", 0).slice(1)),
                "are not of the same samples; see `dataset-dm verify",
            ),
            (good[:-100], "00000.parquet cannot be read .*; delete .* and run the same command again"),
        ):
            file.write_bytes(content)
            with pytest.raises(StoreError, match=said):
                engine.read("train", 0)
            assert file.read_bytes() == content
        file.unlink()
        images.file("train", 0).write_bytes(parquet(foreign))
        with pytest.raises(StoreError, match="images/.*00000.parquet is of something else"):
            engine.fill({"train": 1})
    assert not labels.has("train", 0)


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def test_nothing_is_added_to_a_set_whose_plan_was_changed(quick: dict) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 1})
        manifest = engine.labels.folder / "manifest.json"
        text = manifest.read_text()
        for changed, said in (
            (text.replace('"steps": 1', '"steps": 9'), "it was changed by hand; move it away and run the command"),
            (text.replace('"format": 1', '"format": 2'), "has format 2: expected at most 1; upgrade dataset-dm"),
        ):
            manifest.write_text(changed)
            with pytest.raises(StoreError, match=said):
                engine.fill({"train": 8})
            assert manifest.read_text() == changed and engine.labels.missing("train", [0, 1]) == [1]
        assert engine.fill({"train": 1}) == 0, "what is there can be read all the same"


def test_a_store_that_may_only_be_read(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 1})
    real = os.open

    def read_only(path: object, flags: int, *rest: object, **more: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr("os.open", read_only)
    with Engine(plan, device="cpu") as engine:
        assert engine.fill({"train": 4}) == 0
        assert [table.num_rows for table in engine.read("train", 0)] == [4, 4]
        assert survey(stored_plans()[0]).running == 0
        with pytest.raises(StoreError, match="cannot write .*Read-only file system.; check the permissions of"):
            engine.fill({"train": 5})

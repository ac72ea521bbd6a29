"""The worker process: answers, errors, and its end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dataset_dm.engine import Work, must_ask_a_worker
from dataset_dm.engine.worker_client import Worker, WorkerLost
from dataset_dm.store.plans import stores
from tests.engine.conftest import plan_of

ROOT = Path(__file__).resolve().parents[2]


def silent(rows: int) -> None:
    """A report that is not used."""


def test_shards_warnings_and_a_second_process_after_a_kill(quick: dict) -> None:
    plan = plan_of(quick, prompts=[("a photo of a dog " * 40).strip()], shard_size=2)
    worker, reported = Worker(plan, device="cpu"), []
    assert worker.attempt(Work("train", 1, draw=True), reported.append) == "made"
    assert reported == [2] and len(worker.warnings) == 1 and "its end is cut off" in worker.warnings[0]
    assert [store.missing("train", [0, 1]) for store in stores(plan)] == [[0], [0]]
    assert worker.attempt(Work("train", 1, draw=True), reported.append) == "there" and reported == [2]
    assert worker.seconds["draw"] > 0
    first = worker._process
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert worker.attempt(Work("train", 0, draw=True), silent) == "made"
    assert "its end is cut off" in worker.warnings[0], "a new process, which had not warned yet"
    assert stores(plan)[1].has("train", 0) and worker._process is not first
    second = worker._process
    worker.close()
    assert second.returncode == 0


def test_a_shard_that_somebody_else_makes_is_left_to_him(quick: dict) -> None:
    plan = plan_of(quick)
    worker, (images, labels) = Worker(plan, device="cpu"), stores(plan)
    with labels.lock("train-0"):
        assert worker.attempt(Work("train", 0, draw=True), silent) == "busy"
    with images.lock("train-0"):  # another annotator draws them
        assert worker.attempt(Work("train", 0, draw=True), silent) == "busy"
    worker.close()
    assert images.missing("train", [0]) == labels.missing("train", [0]) == [0]


def test_a_worker_that_dies_at_work_is_said_so(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(plan_of(quick), device="cpu")
    listen = worker._listen

    def killed(process: subprocess.Popen, *request: object) -> object:
        os.kill(process.pid, signal.SIGKILL)  # after it was asked: one that is dead before is replaced
        return listen(process, *request)

    monkeypatch.setattr(worker, "_listen", killed)
    with pytest.raises(WorkerLost, match="the worker process ended with code -9 .* while making shard 0 of train"):
        worker.attempt(Work("train", 0, draw=True), silent)


def test_a_worker_that_gives_no_sign_of_life_or_no_batch_is_ended(quick: dict) -> None:
    for limits, said in (
        ({"silence": 0.5}, "no sign of life for 0.5 s"),
        ({"time_limit": 0.1}, "no batch within 0.6 s"),
    ):
        worker = Worker(plan_of(quick), device="cpu", **limits)
        process = worker._start()
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(WorkerLost, match=f"hung while making shard 0 of train .{said}"):
            worker.attempt(Work("train", 0, draw=True), silent)
        assert process.returncode == -signal.SIGKILL and worker._process is None


def test_a_worker_ends_whose_asking_process_is_killed(quick: dict, tmp_path: Path) -> None:
    """The worker ends, so that it does not keep a GPU for hours."""
    code = """
import json, os, signal, sys
from dataset_dm.engine.worker_client import Worker
from dataset_dm.plan.generation_plan import plan_from_dict
worker = Worker(plan_from_dict(json.loads(sys.argv[1])), device="cpu")
print(worker._start().pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", code, json.dumps(plan_of(quick).to_dict())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    worker = psutil.Process(int(done.stdout)) if psutil.pid_exists(int(done.stdout)) else None
    assert worker is None or worker.wait(timeout=20) is None


def test_an_interrupted_request_leaves_no_answer_for_the_next_one(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(plan_of(quick), device="cpu")
    process = worker._start()

    def interrupted(stream: object, message: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dataset_dm.engine.worker_client._send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.attempt(Work("train", 0, draw=True), silent)
    assert process.returncode is not None and worker._process is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_knows_that_it_is_one() -> None:
    assert not must_ask_a_worker()
    code = """
import os
from dataset_dm.engine import must_ask_a_worker
child = os.fork()
if child == 0:
    os._exit(7 if must_ask_a_worker() else 1)
print(must_ask_a_worker(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "7"]

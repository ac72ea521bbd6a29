"""The worker process: answers, errors, and its end."""

import os
import signal
import subprocess
import sys

import pytest

from dataset_dm.engine import must_ask_a_worker
from dataset_dm.engine.local import stores
from dataset_dm.engine.worker import Worker
from dataset_dm.errors import ConfigError, StoreError
from dataset_dm.request import resolve
from dataset_dm.tasks import SEMANTIC


def plan_of(quick: dict, **more: object):
    return resolve(SEMANTIC, **{key: value for key, value in {**quick, **more}.items() if key != "device"})


def test_shards_warnings_and_a_second_process_after_a_kill(quick: dict) -> None:
    plan = plan_of(quick, prompts=[("a photo of a dog " * 40).strip()], shard_size=2)
    worker = Worker(plan, device="cpu")
    with pytest.warns(UserWarning, match="its end is cut off"):
        worker.make("train", 1)
    assert [store.missing("train", [0, 1]) for store in stores(plan)] == [[0], [0]]
    first = worker._process
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    with pytest.warns(UserWarning, match="its end is cut off"):
        worker.make("train", 0)  # by a new process, which has not warned yet
    assert stores(plan)[1].has("train", 0) and worker._process is not first
    second = worker._process
    worker.close()
    assert second.returncode == 0


def test_a_mistake_is_raised_on_the_asking_side_as_itself(quick: dict) -> None:
    plan = plan_of(quick, sampler={"scheduler": "NoScheduler"})
    worker = Worker(plan, device="cpu")
    with pytest.raises(ConfigError, match="unknown scheduler 'NoScheduler'"):
        worker.make("train", 0)
    worker.close()


def test_a_worker_that_dies_at_work_is_said_so(quick: dict) -> None:
    worker = Worker(plan_of(quick), device="cpu")
    process = worker._start()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(StoreError, match="the worker process ended with code -9 .*run the same command again"):
        worker._ask(process, {"split": "train", "shard": 0, "overwrite": False})


def test_an_interrupted_request_leaves_no_answer_for_the_next_one(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(plan_of(quick), device="cpu")
    process = worker._start()

    def interrupted(stream: object, message: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dataset_dm.engine.worker._send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker._ask(process, {"split": "train", "shard": 0, "overwrite": False})
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

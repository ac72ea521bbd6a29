"""Several worker processes on one plan: the bytes of one, although one is killed."""

import os
import signal
from pathlib import Path

import pytest

from dataset_dm.engine import Engine
from dataset_dm.engine.processes import Processes
from dataset_dm.errors import ConfigError
from dataset_dm.store.plans import stores
from dataset_dm.store.verify import check_shard
from tests.engine.conftest import files, plan_of

TWO = {"name": "processes", "workers": 2, "threads": 1}


def test_two_workers_make_the_bytes_of_one_though_one_is_killed(
    quick: dict, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, counts = plan_of(quick, shard_size=2), {"train": 6, "test": 2}
    with Engine(plan, device="cpu") as engine:
        assert engine.fill(counts) == 4
    alone = files(plan)
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "two"))
    reported: list[int] = []
    with Engine(plan, device="cpu", engine=TWO) as engine:

        def report(rows: int) -> None:
            if not reported:
                first, *_ = engine._maker._workers
                os.kill(first._process.pid, signal.SIGKILL)
            reported.append(rows)

        # one fewer when the killed one had just published a shard and not yet said so: it is found there
        assert engine.fill(counts, report) in (3, 4)
        processes = [worker._process for worker in engine._maker._workers]
        assert engine.seconds["draw"] > 0 and len(processes) == 2
    assert files(plan) == alone and sum(reported) == 8
    assert [process.poll() for process in processes] == [0, 0]
    (facts,) = stores(plan)[1].manifest()["environments"].values()
    assert facts["threads"] == 1


def test_a_worker_that_hangs_gives_its_shard_and_its_lock_back(quick: dict) -> None:
    plan, reported = plan_of(quick), []
    with Engine(plan, device="cpu", engine={**TWO, "workers": 1}) as engine:
        (worker,) = engine._maker._open()
        silence, kill = worker.silence, worker.kill

        def report(rows: int) -> None:
            reported.append(rows)
            if len(reported) == 1:  # half of the shard is drawn
                worker.silence = 1.0
                os.kill(worker._process.pid, signal.SIGSTOP)

        def usual_silence() -> None:
            worker.silence = silence  # the next one has to load its models
            kill()

        worker.kill = usual_silence
        assert engine.fill({"train": 4}, report) == 1
    assert reported[:2] == [2, -2] and sum(reported) == 4
    for store in stores(plan):
        check_shard(store, plan, "train", 0)


def test_a_mistake_of_the_users_ends_all_at_once(quick: dict) -> None:
    plan = plan_of(quick, sampler={"scheduler": "NoScheduler"})
    with (
        Engine(plan, device="cpu", engine=TWO) as engine,
        pytest.raises(ConfigError, match="unknown scheduler 'NoScheduler'"),
    ):
        engine.fill({"train": 16})
    assert files(plan) == {}


def test_a_store_that_others_cannot_see_is_refused(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", "memory://nowhere")
    with pytest.raises(ConfigError, match="other processes cannot see a store in memory; take engine='local'"):
        Engine(plan_of(quick), engine=TWO)


@pytest.mark.parametrize("choice", ["local", TWO])
def test_a_gpu_that_is_not_there(quick: dict, choice: object) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with Engine(plan_of(quick), device="cuda", engine=choice) as engine:
        with pytest.raises(ConfigError, match="device: got 'cuda', expected .*GPU"):
            engine.fill({"train": 1})


def test_cores_are_shared_out_unless_somebody_says_otherwise(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(quick)
    monkeypatch.setattr("dataset_dm.engine.processes._cores", lambda: 8)

    def threads(**choice: object) -> list[str]:
        from dataset_dm.engine import resolve_engine

        maker = Processes(plan, device="cpu", choice=resolve_engine({"name": "processes", **choice}))
        return [worker._surroundings["OMP_NUM_THREADS"] for worker in maker._open()]

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads() == ["2"] * 4
    assert threads(workers=3) == ["2"] * 3
    assert threads(workers=16) == ["1"] * 16
    assert threads(workers=2, threads=3) == ["3", "3"]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert threads(workers=2) == ["5", "5"]

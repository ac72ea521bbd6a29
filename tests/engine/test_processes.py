"""Several worker processes on one plan: the bytes of one, whoever dies meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from dataset_dm.engine import Engine, stores
from dataset_dm.engine.processes import Processes
from dataset_dm.errors import ConfigError
from tests.engine.conftest import files, plan_of

TWO = {"name": "processes", "workers": 2, "threads": 1}


def test_two_workers_make_the_bytes_of_one_though_one_is_killed_and_one_hangs(
    quick: dict, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, counts = plan_of(quick, shard_size=2), {"train": 10, "test": 2}
    with Engine(plan, device="cpu") as engine:
        assert engine.fill(counts) == 6
    alone = files(plan)
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "two"))
    told: list[int] = []
    with Engine(plan, device="cpu", engine=TWO) as engine:
        for worker in engine._maker._open():
            worker.silence = 8.0  # a sign of life comes every five seconds

        def report(rows: int) -> None:
            first, second = engine._maker._workers
            if not told:
                os.kill(first._process.pid, signal.SIGKILL)
            if len(told) == 3:
                os.kill(second._process.pid, signal.SIGSTOP)
            told.append(rows)

        assert engine.fill(counts, report) == 6
        processes = [worker._process for worker in engine._maker._workers]
        assert engine.seconds["draw"] > 0 and len(processes) == 2
    assert files(plan) == alone and sum(told) == 12
    assert [process.poll() for process in processes] == [0, 0]
    (facts,) = stores(plan)[1].manifest()["environments"].values()
    assert facts["threads"] == 1


def test_a_mistake_of_the_users_ends_all_at_once(quick: dict) -> None:
    plan = plan_of(quick, sampler={"scheduler": "NoScheduler"})
    with Engine(plan, device="cpu", engine=TWO) as engine, pytest.raises(ConfigError, match="unknown scheduler"):
        engine.fill({"train": 16})
    assert files(plan) == {}


def test_a_store_that_others_cannot_see_is_refused(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", "memory://nowhere")
    with pytest.raises(ConfigError, match="other processes cannot see a store in memory; take engine='local'"):
        Engine(plan_of(quick), engine=TWO)


def test_a_gpu_that_is_not_there(quick: dict) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with Engine(plan_of(quick), device="cuda", engine=TWO) as engine, pytest.raises(ConfigError, match="device: got"):
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

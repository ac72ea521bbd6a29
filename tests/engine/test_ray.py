"""Shards as tasks of a real Ray cluster of two nodes on this machine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_dm.engine import Engine
from dataset_dm.errors import ConfigError, MissingExtra
from tests.engine.conftest import files, plan_of

HERE = {"name": "local", "threads": 1}


def test_without_ray_the_extra_is_named(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        Engine(plan_of(quick), engine="ray") as engine,
        pytest.raises(MissingExtra, match=r"install dataset-dm\[ray\]"),
    ):
        engine.fill({"train": 1})


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20, "num_cpus": 1}
    started = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    yield started
    started.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_node_that_is_killed_costs_no_shard_and_no_byte(
    quick: dict, cluster: object, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, counts = plan_of(quick, shard_size=2), {"train": 8, "test": 2}
    with Engine(plan, device="cpu", engine=HERE) as engine:
        assert engine.fill(counts) == 5
    alone = files(plan)
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "shared"))
    second, reported = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20), []

    def report(rows: int) -> None:
        if not reported:
            cluster.remove_node(second, allow_graceful=False)
        reported.append(rows)

    with Engine(plan, device="cpu", engine=f"ray:{cluster.address}") as engine:
        assert engine.fill(counts, report) == 5
        assert engine.seconds["draw"] > 0
    assert files(plan) == alone and sum(reported) == 10


@pytest.mark.filterwarnings("ignore")
def test_what_the_cluster_cannot_give_is_said_before_anything_waits_for_it(quick: dict, cluster: object) -> None:
    for device, chosen, said in (
        ("cuda", {"threads": 1}, "expected a GPU in the Ray cluster"),
        ("cpu", {"threads": 99}, "threads: got 99, expected at most 1, the CPUs of the largest node"),
    ):
        choice = {"name": "ray", "address": cluster.address, **chosen}
        with Engine(plan_of(quick), device=device, engine=choice) as engine, pytest.raises(ConfigError, match=said):
            engine.fill({"train": 1})


@pytest.mark.filterwarnings("ignore")
def test_an_address_without_a_cluster(quick: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    with Engine(plan_of(quick), engine="ray:127.0.0.1:9") as engine, pytest.raises(ConfigError, match="no Ray cluster"):
        engine.fill({"train": 1})

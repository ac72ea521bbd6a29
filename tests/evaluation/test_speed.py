"""Timing: both ways on the same shards, ratios by hand, nothing left behind."""

from pathlib import Path

import pytest

from dataset_dm.evaluation import speed
from dataset_dm.labels.tasks import SEMANTIC, TASKS
from dataset_dm.plan.resolve import resolve


def test_cost_of_tasks_draws_the_same_images(plan, everything: Path, tmp_path: Path) -> None:
    asked = {"generator": plan.generator, "annotator": str(everything), "shard_size": 2}
    few, many = (
        resolve(tasks, **asked, sampler={"steps": 1, "guidance": 0.0}) for tasks in (SEMANTIC, [*TASKS.values()])
    )
    assert few.image_fingerprint == many.image_fingerprint
    cost = speed.time_tasks(few, many, 2, device="cpu")
    assert len(cost.few) == len(cost.many) == 2 and min(cost.few + cost.many) > 0
    assert cost.few_stages["label"] > 0 and cost.many_stages["draw"] > 0
    assert not (tmp_path / "home").exists()


def test_cost_of_tasks_by_hand() -> None:
    cost = speed.TaskCost(2, ("semantic",), ("semantic", "depth"), [10.0, 10.0, 10.0], [11.0, 12.0, 10.5])
    cost.few_stages, cost.many_stages = {"draw": 27.0, "label": 3.0}, {"draw": 28.0, "label": 4.5}
    figures = cost.figures()
    assert figures["few_seconds_an_image"] == 5 and figures["many_seconds_an_image"] == 5.5
    assert figures["extra"] == pytest.approx(0.1) and figures["extra_median_of_rounds"] == pytest.approx(0.1)
    assert figures["extra_of_stages"] == pytest.approx(1.5 / 30)


def test_speed_measures_both_ways_and_leaves_nothing(plan, tmp_path: Path) -> None:
    result = speed.time_overhead(plan, 2, device="cpu")
    assert len(result.plain) == len(result.ours) == 2 and min(result.plain + result.ours) > 0
    assert result.figures()["ratio"] == pytest.approx(sum(result.ours) / sum(result.plain))
    assert result.stages["draw"] > 0 and not (tmp_path / "home").exists()

"""A small store with every kind of label, for the verbs that look after it."""

import shutil
from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.engine import Engine
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.store.plans import stores

COUNTS = {"train": 3, "test": 1}


def make_store(models: dict[str, str], home: Path) -> GenerationPlan:
    """Fills `home` with two shards of train and one of test, two images each; returns their plan."""
    chosen = {**models, "sampler": {"steps": 1, "guidance": 2.0}, "batch_size": 2, "shard_size": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATASET_DM_HOME", str(home))
        plan = resolve_recipe(recipe("coco_synth", "all"), **chosen)
        with Engine(plan, device="cpu") as engine:
            engine.fill(COUNTS)
    return plan


def copy_store(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may damage, as this process's store."""
    shutil.copytree(source, target)
    monkeypatch.setenv("DATASET_DM_HOME", str(target))
    return target


def call(verb: str, *words: str) -> int:
    """Runs a verb as the command line does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cli.VERBS, verb, "")
        return cli.main([verb, *words])


def shard_file(plan: GenerationPlan, kind: str, split: str, shard: int) -> Path:
    """Where a shard lies."""
    images, labels = stores(plan)
    return {"images": images, "labels": labels}[kind].file(split, shard)

"""A set is filled under one look at the store, and the plan behind it is resolved once."""

import copy
import json
import pickle
from collections import Counter
from pathlib import Path

import pytest

from dataset_dm.builders import _base
from dataset_dm.builders.voc_synth import VocSynth
from dataset_dm.cli import main
from dataset_dm.engine import Engine, Work, fill_set
from dataset_dm.files.storage import LocalStorage
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores
from tests.engine.conftest import plan_of


@pytest.fixture
def plan(quick: dict) -> GenerationPlan:
    return plan_of(quick)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Folder of a split → how often its storage listed it."""
    counted: Counter[str] = Counter()
    entries = LocalStorage.entries

    def counting(storage: LocalStorage, folder: str):
        if folder.count("/") == 2:  # images/<fingerprint>/<split>
            counted[folder] += 1
        return entries(storage, folder)

    monkeypatch.setattr(LocalStorage, "entries", counting)
    return counted


def once(plan: GenerationPlan, *splits: str) -> dict[str, int]:
    return {f"{store.name}/{split}": 1 for store in stores(plan) for split in splits}


def test_every_split_is_listed_once_a_fill(plan: GenerationPlan, listed: Counter[str]) -> None:
    counts = {"train": 2, "test": 1}
    with Engine(plan, device="cpu") as engine:
        assert fill_set(engine, counts) == 2
        assert listed == once(plan, "train", "test")
        listed.clear()
        assert fill_set(engine, counts) == 0
        assert listed == once(plan, "train", "test")


def test_a_set_that_lacks_nothing_still_notes_what_was_wanted(plan: GenerationPlan) -> None:
    with Engine(plan, device="cpu") as engine:
        engine.make(Work("train", 0, draw=True))
        assert fill_set(engine, {"train": 1}) == 0
    assert [store.manifest().get("wanted") for store in stores(plan)] == [{"train": 1}] * 2


def test_a_builder_resolves_its_plan_once_and_lists_once(
    quick: dict, tmp_path: Path, listed: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = []

    def counting(*args: object, **asked: object) -> GenerationPlan:
        resolved.append(resolve(*args, **asked))
        return resolved[-1]

    resolve = _base.resolve_recipe
    monkeypatch.setattr(_base, "resolve_recipe", counting)
    builder = VocSynth(cache_dir=str(tmp_path), num_images=2, **quick)
    builder.download_and_prepare()
    assert len(builder.as_dataset(split="train")) == 2 and len(resolved) == 1
    assert builder.config.plan() is resolved[0]
    assert listed == once(resolved[0], "train")


def test_the_command_line_lists_once(quick: dict, listed: Counter[str], tmp_path: Path) -> None:
    words = ["--generator", quick["generator"], "--annotator", quick["annotator"], "--steps", "1", "--device", "cpu"]
    for number in (1, 2):
        out = tmp_path / str(number)
        command = ["generate", "voc_synth", "--num-images", "1", "--batch-size", "1", "--shard-size", "1", *words]
        assert main([*command, "--out", str(out)]) == 0
        assert sorted(listed.values()) == [1, 1], json.dumps(listed)
        listed.clear()


def test_a_copied_or_changed_config_resolves_again(quick: dict, tmp_path: Path) -> None:
    builder = VocSynth(cache_dir=str(tmp_path), **quick)
    plan, config = builder.config.plan(), builder.config
    assert config.plan() is plan
    for other in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert other == config and other.plan() == plan and other.plan() is not plan
    config.seed = 5
    assert config.plan().seed == 5


def test_the_config_that_builders_share_keeps_no_plan(tmp_path: Path) -> None:
    builder = VocSynth(cache_dir=str(tmp_path))
    assert builder.config is not VocSynth.BUILDER_CONFIGS[0] == builder.config

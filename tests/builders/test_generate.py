"""`dataset_dm.generate`: the requests of Python and of the command line are the same."""

from pathlib import Path
from typing import Any

import pytest

from dataset_dm.arguments.declare import command_line
from dataset_dm.builders.generate import ARGUMENTS, generate, make_set, resolve_request
from dataset_dm.errors import ConfigError, StoreError

FEW = {"num_images": 3, "batch_size": 2, "shard_size": 2, "sampler": {"steps": 1}, "device": "cpu"}


@pytest.fixture
def asked(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A quick request; the store is the test's own."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return {**FEW, "generator": models["generator"], "annotator": models["annotator"]}


def test_a_folder_and_the_store_hold_the_same_rows(asked: dict[str, Any], tmp_path: Path) -> None:
    written = generate("voc_synth", out=tmp_path / "set", **asked)
    stored = generate("voc_synth", **asked)
    assert list(written) == list(stored) == ["train"]
    assert written["train"]["prompt"] == stored["train"]["prompt"] and written["train"].num_rows == 3
    card = (tmp_path / "set" / "README.md").read_text()
    assert "dataset_dm.generate('voc_synth', 'semantic', num_images=3" in card
    with pytest.raises(StoreError, match="is not empty"):
        generate("voc_synth", out=tmp_path / "set", **asked)
    grown = generate("voc_synth", out=tmp_path / "set", resume=True, **{**asked, "num_images": 4})
    assert grown["train"]["prompt"][:3] == written["train"]["prompt"] and grown["train"].num_rows == 4


def test_a_set_without_a_folder_is_counted(asked: dict[str, Any]) -> None:
    made = make_set(resolve_request("voc_synth", None, asked))
    assert made.facts.rows == 3 and made.images == 4  # whole shards of two
    assert len(made.facts.shown) == 3 and len(made.facts.quality["confidence"]) == 3
    assert {"draw", "total"} <= set(made.seconds)
    again = make_set(resolve_request("voc_synth", None, asked))
    assert again.images == 0 and again.facts.classes == made.facts.classes


def test_requests_of_several_splits_and_filters(asked: dict[str, Any]) -> None:
    more = {"splits": {"train": 2, "test": 1}, "filters": {"min_confidence": 0.5}, "on_drop": "resample"}
    request = resolve_request("dataset_dm/voc_synth", "semantic", {**asked, "num_images": None, **more})
    assert request.counts == {"train": 2, "test": 1} and request.resample
    assert request.full_name == "dataset_dm/voc_synth" and request.device == "cpu"
    assert request.engine.name == "local" and request.bounds == {"min_confidence": 0.5}


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("voc_synht", {}, "did you mean 'voc_synth'"),
        ("miniature", {}, "miniature is rendered, not generated; load it with load_dataset"),
        ("voc_synth", {"num_imgs": 3}, "generate: unknown key 'num_imgs'.*did you mean 'num_images'"),
        ("voc_synth", {"num_images": 0}, "^num_images: got 0"),
        ("voc_synth", {"resume": True}, "resume and overwrite are about out"),
        ("voc_synth", {"engine": "prozesses"}, "engine: got 'prozesses'.*did you mean 'processes'"),
    ],
)
def test_mistakes_are_one_line(asked: dict[str, Any], name: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        generate(name, **{**asked, **more})
    assert "\n" not in str(caught.value)


def test_mistakes_are_spelled_as_the_caller_wrote_them(asked: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="^--num-images: got 0"):
        resolve_request("voc_synth", None, {**asked, "num_images": 0}, command_line(*ARGUMENTS))

"""`load_dataset("dataset_dm/voc_synth", "zero_shot" | "long_tail")`, with trainings of two steps."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import load_dataset

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders.voc_synth import VocSynth
from dataset_dm.decoder import PDecoder
from dataset_dm.errors import ConfigError
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.training.scarce_configs import UNSEEN
from tests.training.test_on_demand import TINY

ROOT = Path(__file__).resolve().parents[2]
NAME = "dataset_dm/voc_synth"


@pytest.fixture
def asked(quick: dict) -> dict[str, object]:
    """A small set whose decoder learns next to nothing from two labelled images."""
    plain = {name: value for name, value in quick.items() if name != "annotator"}
    return {**plain, "num_labelled": 2, "training": TINY, "num_images": 4, "split": "train"}


def decoders(tmp_path: Path) -> list[Path]:
    return [folder for folder in (tmp_path / "home" / "decoders").iterdir() if folder.is_dir()]


READ = f"""
import json, sys
import dataset_dm
from datasets import load_dataset
rows = load_dataset({NAME!r}, "zero_shot", cache_dir=sys.argv[2], **json.loads(sys.argv[1]))
print(json.dumps([len(rows), sorted({{"torch", "diffusers", "transformers"}} & set(sys.modules))]))
"""


def test_zero_shot_is_trained_on_fifteen_and_labels_twenty(
    asked: dict, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = load_dataset(NAME, "zero_shot", cache_dir=str(tmp_path / "cache"), **asked)
    assert len(rows) == 4 and rows.features["classes"].feature.names == ["background", *VOC_CLASSES]
    assert all(len(quality["presence"]) == 20 for quality in rows["quality"])
    folder, = decoders(tmp_path)  # fmt: skip
    trained = PDecoder.from_pretrained(folder).config
    assert set(VOC_CLASSES) - set(trained.classes) == set(UNSEEN) and len(trained.classes) == 15
    assert {row["annotator_hash"] for row in rows["provenance"]} == {folder.name}
    assert capfd.readouterr().err.count("training a decoder on 15 seen classes") == 1
    made = (folder / "model.safetensors").stat().st_mtime_ns
    more = load_dataset(NAME, "zero_shot", cache_dir=str(tmp_path / "cache"), **{**asked, "num_images": 5})
    assert len(more) == 5 and (folder / "model.safetensors").stat().st_mtime_ns == made, "trained once"
    shutil.rmtree(folder)  # a finished set is read without torch, and without its decoder
    for cache in ("cache", "another_cache"):
        command = [sys.executable, "-c", READ, json.dumps(asked), str(tmp_path / cache)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == [4, []]
    assert decoders(tmp_path) == []


def test_long_tail_streams_and_tells_its_prompts_apart(asked: dict, tmp_path: Path) -> None:
    tail = {**asked, "imbalance": 4}
    stream = load_dataset(NAME, "long_tail", streaming=True, **tail)
    assert not (tmp_path / "home" / "decoders").exists() or decoders(tmp_path) == []
    assert next(iter(stream))["provenance"]["index"] == 0
    trained = PDecoder.from_pretrained(decoders(tmp_path)[0]).config
    assert trained.classes == VOC_CLASSES and "long tail 4:1" in trained.record["data"]
    rare, alike = (
        VocSynth(cache_dir=str(tmp_path), config_name="long_tail", rebalance=rebalance,
                 **{name: value for name, value in tail.items() if name != "split"}).config.plan()
        for rebalance in (True, False)
    )  # fmt: skip
    assert rare.annotator_hash == alike.annotator_hash and rare.image_fingerprint != alike.image_fingerprint


def test_configs_have_arguments_of_their_own(asked: dict, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown argument 'unsen'; did you mean 'unseen'"):
        VocSynth(cache_dir=str(tmp_path), config_name="zero_shot", unsen=["dog"])
    with pytest.raises(ConfigError, match="unknown argument 'unseen'"):
        VocSynth(cache_dir=str(tmp_path), config_name="semantic", unseen=["dog"])
    with pytest.raises(ConfigError, match="unseen: got 'dgo'"):
        VocSynth(cache_dir=str(tmp_path), config_name="zero_shot", unseen=["dgo"])

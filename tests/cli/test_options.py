"""Options of declared arguments: read as Python would give them, refused in one line as options, a set written."""

import argparse
from pathlib import Path

import pytest
from datasets import load_dataset

from dataset_dm import cli
from dataset_dm.cli import options
from dataset_dm.training.scarce_arguments import TABLES

NOTHING = dict.fromkeys(("unseen", "imbalance", "rebalance", "labelled", "num_labelled", "training"))


def asked(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    options.add_options(parser, *TABLES.values())
    return options.asked(parser.parse_args(words), *TABLES.values())


def test_options_are_read_as_what_they_are() -> None:
    assert asked() == NOTHING
    assert asked("--unseen", "dog, cat", "--num-labelled", "30") == {
        **NOTHING,
        "unseen": ["dog", "cat"],
        "num_labelled": 30,
    }
    said = asked("--imbalance", "100", "--no-rebalance", "--labelled", "voc/", "--training", "steps=4")
    assert said == {**NOTHING, "imbalance": 100, "rebalance": False, "labelled": "voc/", "training": {"steps": 4}}
    assert asked("--training", "learning_rate=.001")["training"] == {"learning_rate": 0.001}
    assert asked("--imbalance", "5.")["imbalance"] == 5
    several = asked("--training", 'decoder={"width": 16}', "--training", "validation=other/", "--training", "seed=1")
    assert several["training"] == {"decoder": {"width": 16}, "validation": "other/", "seed": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["zero_shot", "--unseen", "dgo"], "--unseen: got 'dgo'"),
        (["zero_shot", "--training", "steps"], "--training: got 'steps', expected KEY=VALUE"),
        (["zero_shot", "--training", "steps=1", "--training", "steps=2"], "every key once"),
        (["zero_shot", "--training", "learning_rate=fast"], "training: learning_rate: got 'fast', expected a number"),
        (["long_tail", "--imbalance", "many"], "--imbalance: got 'many', expected a number of at least 1"),
        (["long_tail", "--unseen", "dog"], "--unseen is an argument of zero_shot"),
        (["semantic", "--imbalance", "5"], "--imbalance is an argument of long_tail"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    assert cli.main(["generate", "voc_synth", *words]) == 2
    output = capsys.readouterr()
    assert said in output.err and output.err.count("\n") == 1 and not (tmp_path / "home").exists()


def test_a_set_by_an_annotator_of_ones_own(quick: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    models = ["--generator", quick["generator"], "--annotator", quick["annotator"]]
    command = ["generate", "voc_synth", "long_tail", "--num-images", "2", "--steps", "1", "--batch-size", "2"]
    assert cli.main([*command, "--imbalance", "50", *models, "--device", "cpu", "--out", str(out)]) == 0
    assert "training a decoder" not in capsys.readouterr().err
    assert len(load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))) == 2

"""`dataset-dm prompts`: the report of every kind of source, the file it writes, and one line for every mistake."""

import argparse
import json
from pathlib import Path

import pytest

from dataset_dm.cli import prompts
from dataset_dm.errors import UserError
from dataset_dm.prompts import read_prompts


def run(*words: str) -> int:
    """As the command line does, less the table of verbs."""
    parser = argparse.ArgumentParser()
    prompts.add_arguments(parser)
    return prompts.run(parser.parse_args(words))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))


def test_templates_go_to_a_file_that_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "new" / "prompts.jsonl", tmp_path / "report.json"
    words = ["--classes", "cat, dog,bird", "--mix", "dog=1,cat=1", "--num", "30", "--out", str(out)]
    assert run(*words, "--json", str(report), "--append-classes") == 0
    shown = capsys.readouterr().out
    assert "30, " in shown and "never        bird" in shown and str(out) in shown
    lines = read_prompts(out).prompts
    assert len(lines) == 30 and all("; " in line.text and line.classes for line in lines)
    found = json.loads(report.read_text())
    assert found["prompts"] == 30 and found["classes"]["bird"] == 0 and found["distinct"]["1"] > 0
    assert run(str(out), "--classes", "cat,dog,bird") == 0  # all lines
    assert "30, " in capsys.readouterr().out


def test_the_prompts_are_those_of_the_plan(tmp_path: Path) -> None:
    for seed, split in (("0", "train"), ("1", "train"), ("0", "test")):
        out = tmp_path / f"{seed}-{split}.jsonl"
        assert run("--classes", "cat,dog", "--num", "8", "--seed", seed, "--split", split, "--out", str(out)) == 0
    assert len({file.read_text() for file in tmp_path.glob("*.jsonl")}) == 3


def test_captions_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    file = tmp_path / "captions.txt"
    file.write_text("a dog\na cat\na street\n")
    assert run(f"captions:{file}#text", "--num", "2", "--classes", "cat,dog") == 0
    shown = capsys.readouterr().out
    assert "a dog" in shown and "a cat" in shown and "a street" not in shown


def test_a_mix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "mine=1.txt", tmp_path / "out.jsonl"
    file.write_text("a zebra crossing\n")
    assert run(f"{file}=0.25", "templates=0.75", "--num", "8", "--out", str(out)) == 0
    texts = [line.text for line in read_prompts(out).prompts]
    assert texts.count("a zebra crossing") == 2
    assert "8, " in capsys.readouterr().out
    assert run(str(file)) == 0  # one source is taken as it is
    with pytest.raises(UserError, match="SOURCE: got 'templates', expected SOURCE=SHARE such as templates=0.3"):
        run("templates", f"{file}=1")


def test_a_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    out = tmp_path / "prompts.jsonl"
    out.write_text("mine\n")
    with pytest.raises(UserError, match="exists already; .*--overwrite"):
        run("--num", "2", "--out", str(out))
    assert out.read_text() == "mine\n"
    assert run("--num", "2", "--out", str(out), "--overwrite") == 0
    assert len(read_prompts(out).prompts) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--num", "0"], "--num: got 0"),
        (["--classes", " , "], "--classes: got"),
        (["--mix", "dog"], "--mix: got 'dog', expected NAME=SHARE"),
        (["--mix", "dgo=1"], "weights: got 'dgo'.*did you mean 'dog'"),
        (["nowhere.txt"], "cannot be read"),
        (["openai:m"], "no key; set the environment variable OPENAI_API_KEY"),
        (["captions:nothing"], "expected a dataset and its column"),
        (["transformers:/no/where"], "language model: got '/no/where'"),
    ],
)
def test_mistakes_are_one_line(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=said) as caught:
        run(*words)
    assert "\n" not in str(caught.value)

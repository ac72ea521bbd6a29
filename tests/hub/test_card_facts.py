"""Facts of a card and the two files that store them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_dm.errors import DataError
from dataset_dm.hub.card_facts import DROPS, FORMAT, PLAN, CardFacts, parse, read_facts, to_bytes, write_facts

FACTS = CardFacts(
    name="voc_synth",
    config="semantic",
    command="dataset-dm generate voc_synth --out set",
    settings={"steps": 20},
    classes=("background", "cat"),
    dropped={"low_confidence": 2},
    dropped_objects={"low_score": 1},
    listed={"train": {"low_confidence": [3, 5]}},
    limits=("toy scenes",),
    license="cc-by-4.0",
    plan={"seed": 7},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_facts(tmp_path, FACTS)
    assert read_facts(tmp_path) == FACTS
    assert json.loads((tmp_path / PLAN).read_text())["format"] == FORMAT
    drops = json.loads((tmp_path / DROPS).read_text())["configs"]["semantic"]
    assert drops["samples"] == {"low_confidence": 2} and drops["indices"] == {"train": {"low_confidence": [3, 5]}}


def test_local_folders_and_tokens_are_not_written(tmp_path: Path) -> None:
    command = "dataset-dm generate voc_synth --generator /home/me/sd --out ~/sets/voc"
    write_facts(tmp_path, replace(FACTS, command=command, settings={"token": "hf_" + "a" * 20}))
    read = read_facts(tmp_path)
    assert read.command == "dataset-dm generate voc_synth --generator sd --out voc"
    assert read.settings == {"token": "hf_***"}


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"format": 99, "configs": {}}', b'{"format": 1, "configs": []}'])
def test_other_files_are_one_line(content: bytes) -> None:
    with pytest.raises(DataError, match="plan.json is not one that dataset-dm of this version writes"):
        parse(content, "plan.json")


def test_missing_files() -> None:
    assert parse(None, "plan.json") == {} and parse(to_bytes({"a": {}}), "plan.json") == {"a": {}}


def test_a_folder_without_a_plan_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no plan.json in it; give a folder"):
        read_facts(tmp_path)
    (tmp_path / PLAN).write_bytes(to_bytes({"a": {}, "b": {}}))
    with pytest.raises(DataError, match="expected one config"):
        read_facts(tmp_path)

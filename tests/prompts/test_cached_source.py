"""Sources that draw prompts in blocks: drawn once, before workers read them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import (
    Lines,
    Mixed,
    prepare,
)
from dataset_dm.prompts.cache import Place
from dataset_dm.prompts.cached_source import cached_prompt, tidy
from tests.prompts.conftest import MIX, Service, files, said, sentences, source_of


def test_preparing_draws_only_what_is_missing(service: Service, own_home: Path) -> None:
    source, reported = source_of(service), []
    source.prompt(0, "train", 0)
    assert prepare(source, 0, {"train": 6, "test": 1}, reported.append) == 8  # 4..7 of train, 0..3 of test
    assert sum(reported) == 8 and len(service.requests) == 3
    assert prepare(source, 0, {"train": 8, "test": 4}) == 0
    assert len(service.requests) == 3
    assert prepare(source, 1, {"train": 1}) == 4  # another seed, other prompts


def test_a_worker_reads_prepared_prompts_without_a_request(service: Service, own_home: Path) -> None:
    source = source_of(service)
    prepare(source, 0, {"train": 2})
    service.close()
    script = """
import json, sys
from dataset_dm.prompts import source_from_dict
print(source_from_dict(json.loads(sys.argv[1])).prompt(0, "train", 1).text)
print(sorted({"torch", "datasets", "openai"} & set(sys.modules)))
"""
    words = [sys.executable, "-c", script, json.dumps(source.to_dict())]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [source.prompt(0, "train", 1).text, "[]"]


def test_a_block_that_fails_leaves_the_others(service: Service, own_home: Path) -> None:
    """Several blocks are requested at the same time; one of them is refused."""

    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        bad = MIX.prompt(0, "train", 9).text in request["messages"][1]["content"]
        return (400, {"error": {"message": "too long"}}) if bad else (200, said(sentences(request)))

    service.answer = answer
    source = source_of(service, block=1)
    with pytest.raises(PromptError, match="HTTP 400 .*too long"):
        prepare(source, 0, {"train": 12})
    [file] = files(own_home)
    kept = {json.loads(line).get("index") for line in file.read_text().splitlines()} - {None}
    assert len(kept) >= 6 and 9 not in kept
    service.answer = lambda number, request: (200, said(sentences(request)))
    asked_before = len(service.requests)
    assert prepare(source, 0, {"train": 12}) == 12 - len(kept) == len(service.requests) - asked_before


@dataclass(frozen=True)
class Counting:
    """A source in blocks of three whose prompts are numbered in the order in which they are drawn."""

    drawn: list[int] = field(default_factory=list)

    block = 3
    parallel = 1

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        for place in places:
            self.drawn.append(place.index)
            yield place, Prompt(f"number {len(self.drawn)}")

    def to_dict(self) -> dict[str, str]:
        return {"kind": "counting"}


def test_a_missing_prompt_draws_its_whole_block_once(own_home: Path) -> None:
    source = Counting()
    assert cached_prompt(source, Place(0, "train", 4)).text == "number 2"
    assert source.drawn == [3, 4, 5]
    assert [cached_prompt(source, Place(0, "train", index)).text for index in (5, 3)] == ["number 3", "number 1"]
    assert source.drawn == [3, 4, 5]


def test_parts_of_a_mix_prepare_their_own_share(own_home: Path) -> None:
    source = Counting()
    mix = Mixed(((source, 1), (Lines((Prompt("a cat"),)), 1)))
    assert prepare(mix, 0, {"train": 8}) == 6  # half of 8, rounded up to blocks of three
    assert source.drawn == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" a\n dog\t ", "a dog"), ("a | b | c", "a, b, c"), ("caf\u00e9 \ud83d", "caf\u00e9"), ("a|b", "a|b")],
)
def test_tidy(text: str, expected: str) -> None:
    assert tidy(text) == expected

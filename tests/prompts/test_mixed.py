"""Interleaved sources: shares, order, drawn once; and mixes in a request."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.labels.records import Prompt
from dataset_dm.plan.prompts import source_of
from dataset_dm.prompts import (
    Appended,
    Endpoint,
    LanguageModel,
    Lines,
    Mixed,
    Templates,
    check_separable,
    prepare,
    source_from_dict,
)
from tests.prompts.conftest import Service

MIX = Templates(("cat", "dog"))


def lines(name: str, count: int = 1000) -> Lines:
    return Lines(tuple(Prompt(f"{name} {number}") for number in range(count)))


A, B, C = lines("a"), lines("b"), lines("c")


@pytest.mark.parametrize("weights", [(0.7, 0.3), (1, 1, 1), (0.5, 0.25, 0.25), (1, 99), (5, 1, 3)])
def test_each_source_gives_its_share_and_its_own_prompts_in_order(weights: tuple[float, ...]) -> None:
    mixed = Mixed(tuple(zip((A, B, C), weights, strict=False)))
    drawn: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    for index in range(200):
        name, number = mixed.prompt(3, "train", index).text.split()
        drawn[name].append(int(number))
        for one, weight in zip("abc", weights, strict=False):
            assert abs(len(drawn[one]) - (index + 1) * weight / sum(weights)) < 2
        counted = [own["train"] for _, own in mixed.shares({"train": index + 1})]
        assert counted == [len(drawn[one]) for one in "abc"[: len(weights)]]
    assert all(numbers == list(range(len(numbers))) for numbers in drawn.values())


def test_weights_are_relative() -> None:
    one, other = Mixed(((A, 0.7), (B, 0.3))), Mixed(((A, 7), (B, 3)))
    assert one == other and one.parts[0][1] == Fraction(7, 10)
    assert source_from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert Mixed(((A, 0.6), (B, 0.4))).to_dict() != one.to_dict()
    nested = Mixed(((one, 1), (C, 1)))
    assert source_from_dict(json.loads(json.dumps(nested.to_dict()))) == nested
    assert Counter(nested.prompt(0, "train", index).text[0] for index in range(20)) == {"a": 7, "b": 3, "c": 10}


def test_balance_within_a_source_is_kept() -> None:
    mixed = Mixed(((MIX, 0.3), (A, 0.7)))
    leaders = [one.classes[0] for one in (mixed.prompt(0, "train", index) for index in range(40)) if one.classes]
    assert Counter(leaders) == {"cat": 6, "dog": 6}
    assert Counter(mixed.prompt(0, "test", index).classes is None for index in range(10)) == {True: 7, False: 3}


def test_a_language_model_writes_its_share_and_no_more(service: Service, own_home: Path) -> None:
    """DatasetDM's mix; names are appended to all."""
    written = LanguageModel(writer=Endpoint(model="tiny", url=service.url), mix=MIX, block=2)
    source = Appended(Mixed(((written, 0.7), (MIX, 0.3))), ("cat", "dog"))
    assert prepare(source, 0, {"train": 10, "test": 1}) == 8 + 2  # blocks of two: 7 and 1
    assert len(service.requests) == 5
    texts = [source.prompt(0, "train", index).text for index in range(10)]
    assert sum(text.startswith("A sunny view") for text in texts) == 7 and all("; " in text for text in texts)
    assert len(service.requests) == 5 and prepare(source, 0, {"train": 10}) == 0


def test_a_request_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a cat\na dog on a sofa\n")
    asked = [{"source": str(file), "weight": 3}, {"source": "templates"}, {"source": ["two dogs"], "weight": 1}]
    made = source_of(asked, lambda: MIX, ("cat", "dog"))
    cats, pair = Lines((Prompt("a cat"), Prompt("a dog on a sofa"))), Lines((Prompt("two dogs"),))
    assert made == Mixed(((cats, 3), (MIX, 1), (pair, 1)))
    with pytest.raises(PromptError, match="'two | dogs': .* stands between the prompts of a mosaic"):
        check_separable(Mixed(((MIX, 1), (Lines((Prompt("two | dogs"),)), 1))))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([{"source": "templates", "weight": 0}], "weight of a source: got 0, expected a number above 0"),
        ([{"source": "templates", "weight": "0.7"}], "weight of a source: got '0.7'"),
        ([{"source": "templates", "weight": float("nan")}], "weight of a source: got nan"),
        ([{"source": "templates", "weight": True}], "weight of a source: got True"),
        ([{"source": "templates"}, "a dog"], r"prompts\[1\]: got 'a dog', expected {'source': …, 'weight': …}"),
        ([{"source": "templates", "wieght": 1}], r"prompts\[0\]: got {.*wieght.*}, expected"),
        ([{"source": "templates"}, {"source": None}], "source 1 is an earlier one again; give it once"),
        ([{"source": "nowhere.txt"}], "nowhere.txt: cannot be read"),
        ([{"source": [{"prompt": "a hen", "classes": ["hen"]}]}], "unknown class 'hen'"),
    ],
)
def test_bad_mixes(asked: list, message: str) -> None:
    with pytest.raises(PromptError, match=message) as caught:
        source_of(asked, lambda: MIX, ("cat", "dog"))
    assert "\n" not in str(caught.value)
    with pytest.raises(PromptError, match="at least one source"):
        Mixed(())

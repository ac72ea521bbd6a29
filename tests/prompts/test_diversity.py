"""Diversity of prompts, against values worked out by hand."""

import itertools
import json
import math
import random

import pytest
from pytest import approx

from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import Templates, diversity_of

CLASSES = ("cat", "dog", "bird")


def test_distinct_runs_of_words() -> None:
    found = diversity_of([Prompt("a dog and a cat"), Prompt("A dog, a bird!")], CLASSES)
    # words: a dog and a cat a dog a bird → 5 of 9; pairs: ad da aa ac | ad da ab with "and" → 6 of 7
    assert found.prompts == 2 and found.words == approx(4.5)
    assert found.distinct == approx({1: 5 / 9, 2: 6 / 7, 3: 5 / 5})
    assert (found.duplicates, found.near_duplicates) == (0.0, 0.0)


def test_exact_and_near_duplicates() -> None:
    nine = "one two three four five six seven eight nine"
    texts = [nine, nine.upper() + ".", f"{nine} ten", "one two three", nine.replace("nine", "other"), "zero"]
    # 17 parts against 19: 17/19 = 0.89; "other" for "nine" changes a word and a pair: 15/19 = 0.79
    found = diversity_of([Prompt(text) for text in texts])
    assert found.duplicates == approx(1 / 6)
    assert found.near_duplicates == approx(2 / 6)


def test_near_duplicates_are_those_of_all_pairs() -> None:
    """The filter leaves none out: against comparing everything with everything."""
    rng, words = random.Random(0), "abcdefgh"
    texts = ["".join(f"{rng.choice(words)} " for _ in range(rng.randint(1, 12))).strip() for _ in range(150)]
    texts += [f"{text} x" for text in texts[:40]]
    texts = list(dict.fromkeys(texts))

    def parts(text: str) -> set[object]:
        return {*text.split(), *itertools.pairwise(text.split())}

    def near(one: str, other: str) -> bool:
        return 10 * len(parts(one) & parts(other)) >= 8 * len(parts(one) | parts(other))

    expected = sum(any(near(text, other) for other in texts[:at]) for at, text in enumerate(texts))
    assert 10 < expected < len(texts)
    assert diversity_of([Prompt(text) for text in texts]).near_duplicates == approx(expected / len(texts))


def test_classes_are_listed_or_found_in_the_text() -> None:
    given = [Prompt("a dog"), Prompt("a caption", ("cat", "car")), Prompt("a cat and a dog"), Prompt("a sunset")]
    found = diversity_of(given, CLASSES)
    assert found.classes == {"cat": 2, "dog": 2, "bird": 0}
    assert found.unnamed == approx(1 / 4)
    assert found.evenness == approx(math.log(2) / math.log(3))


@pytest.mark.parametrize(("text", "evenness"), [("a dog", 0.0), ("a dog, a cat, a bird", 1.0), ("a sunset", 0.0)])
def test_evenness(text: str, evenness: float) -> None:
    assert diversity_of([Prompt(text)], CLASSES).evenness == approx(evenness)


def test_templates_are_even_and_the_report_is_plain() -> None:
    found = diversity_of([Templates(CLASSES).prompt(0, "train", i) for i in range(300)], CLASSES)
    assert found.evenness > 0.99 and found.unnamed == 0
    assert json.loads(json.dumps(found.to_dict()))["prompts"] == 300
    shown = diversity_of([Prompt("a dog"), Prompt("a dog"), Prompt("...")], CLASSES).as_text()
    assert "33.3% exact" in shown and "dog 2" in shown and "never" in shown and "cat, bird" in shown
    assert "classes" not in diversity_of([Prompt("a dog")]).as_text()


def test_no_prompts() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        diversity_of([])

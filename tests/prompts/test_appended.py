"""Class names appended to prompts: their choice, their words, and the fingerprint."""

import json

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import Appended, Lines, Templates, check_separable, source_from_dict

VOC_PART = ("aeroplane", "car", "diningtable", "person")


def lines(*prompts: Prompt) -> Lines:
    return Lines(prompts)


def test_the_classes_of_a_prompt_are_written_behind_it_in_their_words() -> None:
    source = lines(
        Prompt("a baby in a toy car", ("person", "car")),
        Prompt("two dining tables", ("diningtable",)),
        Prompt("a sunset", ()),
    )
    appended = Appended(source, VOC_PART)
    assert [appended.prompt(0, "train", i) for i in range(3)] == [
        Prompt("a baby in a toy car; person car", ("person", "car")),
        Prompt("two dining tables; dining table", ("diningtable",)),
        Prompt("a sunset", ()),
    ]


def test_classes_of_a_plain_prompt_are_found_in_its_text() -> None:
    appended = Appended(lines(Prompt("people and an airplane"), Prompt("a sunset")), VOC_PART)
    named = appended.prompt(0, "train", 0)
    assert named == Prompt("people and an airplane; aeroplane person", None)
    assert find_classes(named.text, VOC_PART) == ("aeroplane", "person")
    assert appended.prompt(0, "train", 1) == Prompt("a sunset", None)


def test_seed_split_and_index_reach_the_source() -> None:
    templates = Templates(VOC_PART)
    appended = Appended(templates, VOC_PART)
    for split, index in (("train", 0), ("train", 7), ("test", 7)):
        plain, longer = templates.prompt(3, split, index), appended.prompt(3, split, index)
        assert longer.classes == plain.classes
        assert longer.text.startswith(f"{plain.text}; ")
        assert len(longer.text.partition("; ")[2].split()) >= len(plain.classes)


def test_the_inverse_of_its_plain_form() -> None:
    for source in (lines(Prompt("a dog"), Prompt("a cat", ("cat",))), Templates(VOC_PART, weights={"car": 1.0})):
        appended = Appended(source, list(VOC_PART))  # type: ignore[arg-type]
        read = source_from_dict(json.loads(json.dumps(appended.to_dict())))
        assert read == appended
        assert hash(read) == hash(appended)


def test_plain_sources_keep_their_fingerprint() -> None:
    """Taken from the sources as they were before there was a wrapper."""
    assert lines(Prompt("a dog"), Prompt("a cat", ("cat",))).to_dict() == {
        "kind": "lines",
        "prompts": [["a dog", None], ["a cat", ["cat"]]],
    }
    assert Templates(("cat", "dog")).to_dict() == {
        "kind": "templates",
        "classes": ["cat", "dog"],
        "words": "6ef9fb9a6e1b1853",
    }


def test_a_mosaics_separator_is_refused_in_inner_sources() -> None:
    check_separable(Appended(lines(Prompt("a car|a bus")), VOC_PART))
    with pytest.raises(PromptError, match="prompt 'a car | a bus'.* write the prompt without it"):
        check_separable(Appended(lines(Prompt("a car | a bus")), VOC_PART))
    with pytest.raises(PromptError, match="class 'left | right'"):
        check_separable(Appended(lines(Prompt("a car")), ("car", "left | right")))

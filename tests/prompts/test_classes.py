"""Classes in plain text: whole words, plurals, synonyms."""

import pytest

from dataset_dm.miniature.world import VOC_CLASSES, WORDS
from dataset_dm.prompts import class_words, find_classes
from dataset_dm.prompts.classes import plural, singular_and_plural


@pytest.mark.parametrize(
    ("noun", "several"),
    [
        ("car", "cars"),
        ("bus", "buses"),
        ("box", "boxes"),
        ("bench", "benches"),
        ("puppy", "puppies"),
        ("monkey", "monkeys"),
        ("person", "people"),
        ("sheep", "sheep"),
        ("knife", "knives"),
        ("fire hydrant", "fire hydrants"),
        ("wine glass", "wine glasses"),
    ],
)
def test_plurals(noun: str, several: str) -> None:
    assert plural(noun) == several


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a photo of a dog", ["dog"]),
        ("Two DOGS and a person", ["dog", "person"]),
        ("a person and two dogs", ["dog", "person"]),  # the order is that of the class list
        ("three people on a couch", ["person", "sofa"]),
        ("a potted-plant by the tv", ["pottedplant", "tvmonitor"]),
        ("a dining table", ["diningtable"]),
        ("diningtable;  potted   plant", ["diningtable", "pottedplant"]),
        ("an airplane over motorcycles", ["aeroplane", "motorbike"]),
        ("a carpet, a catalogue and a business card", []),
        ("hot dogs at a car park", []),
        ("prairie dogs between car parks and horse chestnuts", []),
        ("a sunset", []),
    ],
)
def test_voc_classes_are_found(text: str, named: list[str]) -> None:
    assert sorted(find_classes(text, VOC_CLASSES)) == sorted(named)


def test_the_order_is_that_of_the_class_list() -> None:
    assert find_classes("a cat and a dog", ["dog", "cat"]) == ("dog", "cat")
    assert find_classes("a dog and a cat", ["dog", "cat"]) == ("dog", "cat")


def test_own_classes_need_no_table() -> None:
    classes = ["forklift", "pallet", "safety_vest"]
    assert find_classes("Two forklifts and a safety vest", classes) == ("forklift", "safety_vest")


def test_the_longest_name_wins_and_a_name_in_the_list_beats_a_synonym() -> None:
    assert find_classes("a hot dog", ["dog", "hot dog"]) == ("hot dog",)
    assert find_classes("a hot dog and a dog", ["dog", "hot dog"]) == ("dog", "hot dog")
    assert find_classes("a taxi", ["car"]) == ("car",)
    assert find_classes("a taxi", ["car", "taxi"]) == ("taxi",)


def test_every_word_of_the_captions_is_found() -> None:
    for name, words in WORDS.items():
        for word in (*words.singular, *words.plural, *words.also):
            assert find_classes(f"a picture of {word} in a room", VOC_CLASSES) == (name,), word


def test_words_for_the_text_encoder() -> None:
    assert class_words(["diningtable", "tvmonitor", "dog", "fork_lift"]) == [
        "dining table",
        "tv monitor",
        "dog",
        "fork lift",
    ]
    assert singular_and_plural("person") == ("person", "people")

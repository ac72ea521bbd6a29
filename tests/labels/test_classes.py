"""Classes in plain text: whole words, plurals, synonyms."""

import pytest

from dataset_dm.labels.classes import class_list, class_words, find_classes, mentions, plural, singular_and_plural
from dataset_dm.labels.vocabulary import VOC_CLASSES, WORDS


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
            assert find_classes(f"a photo of {word} in a room", VOC_CLASSES) == (name,), word


def test_words_for_the_text_encoder() -> None:
    assert class_words(["diningtable", "tvmonitor", "dog", "fork_lift"]) == [
        "dining table",
        "tv monitor",
        "dog",
        "fork lift",
    ]
    assert singular_and_plural("person") == ("person", "people")


def test_mentions_are_places_in_the_text_as_given() -> None:
    text = "  Two\tDOGS, a dining-\u2014 table & a hot dog; dog"
    found = [(one.name, text[one.begin : one.end]) for one in mentions(text, ["diningtable", "dog"])]
    assert found == [("dog", "DOGS"), ("diningtable", "dining-\u2014 table"), ("dog", "dog")]
    assert mentions(text, ["dog"])[1].begin == len(text) - 3
    assert mentions("", ["dog"]) == mentions(" - ", ["dog"]) == ()


def test_a_word_of_two_classes_is_a_mention_of_both() -> None:
    found = mentions("a jet", ["aeroplane", "airplane"])
    assert [(one.name, one.begin, one.end) for one in found] == [("aeroplane", 2, 5), ("airplane", 2, 5)]


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("eine STRASSE", "straße", (5, 12)),  # folded to more letters than there were
        ("İki café", "café", (4, 8)),
        ("a cafe\u0301 here", "café", (2, 7)),  # the accent as a sign of its own
        ("\u0399\u03a3 \u03bb\u03cc\u03b3\u03bf\u03c2", "\u039b\u038c\u0393\u039f\u03a3", (3, 8)),  # final sigma
        ("一只狗和一只猫", "猫", (6, 7)),  # no blanks between words
        ("บนถนนมีแมวสองตัว", "แมว", (7, 10)),
        ("कुत्ता और कुत्त", "कुत्त", (10, 15)),  # not in the longer word before: a vowel sign follows there
    ],
)
def test_other_scripts(text: str, name: str, place: tuple[int, int]) -> None:
    assert [(one.begin, one.end) for one in mentions(text, [name])] == [place]


def test_class_list() -> None:
    text, placed = class_list(["diningtable", "hot", "dog"])
    assert text == "dining table hot dog"
    assert [(one.name, one.begin, one.end) for one in placed] == [
        ("diningtable", 0, 12),
        ("hot", 13, 16),
        ("dog", 17, 20),
    ]

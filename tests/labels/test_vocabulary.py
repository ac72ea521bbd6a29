"""Words of the classes."""

import itertools

from dataset_dm.labels.vocabulary import VOC_CLASSES, WORDS, display_name


def test_display_names() -> None:
    assert [display_name(name) for name in ("diningtable", "tvmonitor", "forklift")] == [
        "dining table",
        "tv monitor",
        "forklift",
    ]


def test_every_singular_has_its_plural_and_no_word_names_two_classes() -> None:
    assert len(VOC_CLASSES) == 20
    assert all(len(words.singular) == len(words.plural) for words in WORDS.values())
    sets = [{*words.singular, *words.plural, *words.also} for words in WORDS.values()]
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(sets, 2))

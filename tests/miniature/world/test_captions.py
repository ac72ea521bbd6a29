"""Captions name what is there, in correct words, and the same words every time."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dataset_dm.labels.vocabulary import VOC_CLASSES, WORDS, display_name
from dataset_dm.miniature.world.captions import SETTINGS, caption, captions, with_article
from dataset_dm.miniature.world.scene import compose

IDS = {name: row for row, name in enumerate(VOC_CLASSES, start=1)}


def texts(classes: list[str], n: int = 200, style: str = "day", index: int = 3) -> list[str]:
    scene = compose(0, index, style, classes=[IDS[name] for name in classes])
    return list(captions(scene, np.random.default_rng(0), n))


def names(text: str, name: str) -> bool:
    words = (*WORDS[name].singular, *WORDS[name].plural)
    return any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


def test_every_class_has_words_and_each_singular_its_plural() -> None:
    assert set(WORDS) == set(VOC_CLASSES)
    assert all(len(words.singular) == len(words.plural) > 0 for words in WORDS.values())


def test_a_word_means_one_class_only() -> None:
    every = [word for words in WORDS.values() for word in {*words.singular, *words.plural, *words.also}]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("name", "text"),
    [("diningtable", "dining table"), ("tvmonitor", "tv monitor"), ("car", "car"), ("forklift", "forklift")],
)
def test_display_name(name: str, text: str) -> None:
    assert display_name(name) == text


@pytest.mark.parametrize(("phrase", "text"), [("orange car", "an orange car"), ("red aeroplane", "a red aeroplane")])
def test_article(phrase: str, text: str) -> None:
    assert with_article(phrase) == text


def test_captions_name_all_objects_nearly_always() -> None:
    complete = [all(names(text, name) for name in ("dog", "chair", "bus")) for text in texts(["dog", "chair", "bus"])]
    assert 0.9 <= np.mean(complete) < 1.0


def test_two_of_a_kind_are_counted() -> None:
    lines = texts(["sheep", "person", "person"])
    assert any("two people" in line for line in lines)
    assert not any("persons" in line or "sheeps" in line for line in lines)
    # One by one only where their colours are told apart.
    assert all(len(re.findall(r"a person in \w+", line)) == 2 for line in lines if "a person" in line)


def test_synonyms_appear_beside_the_voc_name() -> None:
    lines = texts(["tvmonitor"])
    for word in WORDS["tvmonitor"].singular:
        assert any(re.search(rf"\b{word}\b", line.split(";")[0]) for line in lines), word


def test_class_list_is_appended_to_about_a_third_in_voc_words() -> None:
    lines = texts(["diningtable", "cat"])
    tails = [line.split("; ")[1] for line in lines if ";" in line]
    assert 0.2 < len(tails) / len(lines) < 0.4
    assert set(tails) <= {"dining table cat", "cat dining table", "cat", "dining table"}


def test_settings_named_are_the_scene_s_own() -> None:
    scene = compose(0, 5, classes=[IDS["boat"]])
    lines = captions(scene, np.random.default_rng(0), 200)
    own = SETTINGS[scene.setting.kind]
    others = {phrase for kind, phrases in SETTINGS.items() if kind != scene.setting.kind for phrase in phrases} - set(
        own
    )
    assert 0.2 < np.mean([any(phrase in line for phrase in own) for line in lines]) < 0.8
    assert not any(line.split(";")[0].endswith(phrase) for line in lines for phrase in others)


def test_colour_is_the_drawn_one_and_optional() -> None:
    scene = compose(0, 8, classes=[IDS["car"]])
    lines = captions(scene, np.random.default_rng(0), 200)
    colour = scene.bodies[0].colour_name
    found = {match for line in lines for match in re.findall(r"\b(\w+) car\b", line)} - {"a", "of"}
    assert found == {colour}
    assert 0.2 < np.mean([colour in line for line in lines]) < 0.6


def test_front_and_behind_are_true() -> None:
    for index in range(20):
        scene = compose(0, index, classes=[IDS["dog"], IDS["chair"]])
        dog, chair = (float(np.hypot(body.position[0], body.position[2])) for body in scene.bodies)
        for line in captions(scene, np.random.default_rng(index), 40):
            if match := re.search(r"(dog|chair)[a-z ]* (in front of|behind) ", line):
                first_is_nearer = (dog < chair) == (match[1] == "dog")
                assert first_is_nearer == (match[2] == "in front of"), line


def test_night_and_fog_are_named_at_times() -> None:
    assert any("at night" in line for line in texts(["car"], style="night"))
    assert not any("night" in line or "fog" in line for line in texts(["car"]))


def test_same_generator_state_same_caption() -> None:
    scene = compose(0, 1)
    assert caption(scene, np.random.default_rng(4)) == caption(scene, np.random.default_rng(4))
    assert len(scene.captions) == 6

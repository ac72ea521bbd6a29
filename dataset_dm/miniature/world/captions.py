"""Captions of a scene, and the words for the classes.

The captions decide which prompts the miniature generator understands: several styles, counts, colours, settings, poses,
VOC's names and the common words, and the class list appended ("...; car person") as Dataset Diffusion does.
`WORDS` is also what finds classes in prompts and fills prompt templates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES, WORDS, display_name
from dataset_dm.miniature.world.geometry import Body, Scene

CAPTIONS_A_SCENE = 6
NUMBERS = ("no", "a", "two", "three", "four", "five")


PREFIXES = (
    "a photo of",
    "a photo of",
    "a photo of",
    "a picture of",
    "a picture of",
    "an image of",
    "a photograph of",
)
SETTINGS = {
    "room": ("in a room", "in a room", "indoors", "inside a room", "in the living room"),
    "street": ("on a street", "on the street", "on a road", "on the road", "in the street", "outdoors"),
    "field": ("in a field", "on grass", "on the grass", "in the field", "in a meadow", "outdoors"),
    "water": ("on the water", "on the water", "on the sea", "on a lake"),
    "sky": ("in the sky", "in the sky", "flying in the sky", "in the air"),
}
WEATHER = {"night": ("at night",), "fog": ("in the fog", "in fog")}
BESIDE = ("next to", "beside", "near", "by")
POSES = {
    "standing": ("standing", "standing up"),
    "walking": ("walking",),
    "sitting": ("sitting", "sitting down"),
    "arms raised": ("with raised arms", "with arms raised", "waving"),
}


def with_article(phrase: str) -> str:
    """ "orange car" -> "an orange car"."""
    return f"{'an' if phrase[:1] in 'aeiou' else 'a'} {phrase}"


def captions(scene: Scene, rng: np.random.Generator, n: int = CAPTIONS_A_SCENE) -> tuple[str, ...]:
    """n captions of a scene (they may repeat); the same state of `rng` gives the same text."""
    return tuple(caption(scene, rng) for _ in range(n))


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One caption in lower case. It names every object of the scene, save that one in 25 leaves one kind out."""
    groups = _groups(scene.bodies, rng)
    if len(groups) > 1 and rng.random() < 0.04:
        groups = groups[:-1]
    luck = rng.random()
    if luck < 0.12:
        text = _bare_list(groups, rng)
    elif luck < 0.3 and len(groups) == 2:
        text = _relation(groups, scene, rng)
    else:
        text = _phrase(groups, scene, rng)
    if rng.random() < 0.3:
        names = [display_name(_name(group[0])) for group in groups]
        return f"{text}; {' '.join(names)}"
    return text


def _name(body: Body) -> str:
    return VOC_CLASSES[body.class_id - 1]


def _groups(bodies: Sequence[Body], rng: np.random.Generator) -> list[list[Body]]:
    """Bodies of one class together, in random order of the classes."""
    by_class: dict[int, list[Body]] = {}
    for body in bodies:
        by_class.setdefault(body.class_id, []).append(body)
    groups = list(by_class.values())
    return [groups[row] for row in rng.permutation(len(groups))]


def _word(name: str, plural: bool, rng: np.random.Generator) -> str:
    """VOC's name half of the time, else any of its words."""
    words = WORDS[name].plural if plural else WORDS[name].singular
    return words[0] if rng.random() < 0.5 else words[int(rng.integers(len(words)))]


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _coloured(body: Body, word: str) -> str:
    """ "red dog", "person in red"."""
    if not body.colour_name:
        return word
    return f"{word} in {body.colour_name}" if _name(body) == "person" else f"{body.colour_name} {word}"


def _noun(group: Sequence[Body], coloured: bool, posed: bool, rng: np.random.Generator) -> str:
    """ "a red dog", "two people walking", "a red chair and a blue chair"."""
    colours = {body.colour_name for body in group}
    if coloured and len(colours) == len(group) == 2:
        word = _word(_name(group[0]), False, rng)
        return " and ".join(with_article(_coloured(body, word)) for body in group)
    word = _word(_name(group[0]), len(group) > 1, rng)
    if coloured and len(colours) == 1:
        word = _coloured(group[0], word)
    text = with_article(word) if len(group) == 1 else f"{NUMBERS[len(group)]} {word}"
    pose = group[0].figure.pose
    if posed and pose in POSES and all(body.figure.pose == pose for body in group):
        text = f"{text} {_pick(POSES[pose], rng)}"
    return text


def _phrase(groups: Sequence[Sequence[Body]], scene: Scene, rng: np.random.Generator) -> str:
    """ "a photo of two dogs and a red chair in a room"."""
    coloured, posed = rng.random() < 0.45, rng.random() < 0.5
    nouns = [_noun(group, coloured, posed, rng) for group in groups]
    text = _joined(nouns, rng) + _circumstances(scene, rng)
    luck = rng.random()
    if luck < 0.58:
        close = len(scene.bodies) == 1 and rng.random() < 0.12
        return f"{'a close-up of' if close else _pick(PREFIXES, rng)} {text}"
    if luck < 0.66:
        return f"there {'is' if len(groups[0]) == 1 else 'are'} {text}"
    return text


def _joined(nouns: Sequence[str], rng: np.random.Generator) -> str:
    if len(nouns) == 1:
        return nouns[0]
    last = "with" if len(nouns) == 2 and rng.random() < 0.15 else "and"
    return f"{', '.join(nouns[:-1])} {last} {nouns[-1]}"


def _relation(groups: Sequence[Sequence[Body]], scene: Scene, rng: np.random.Generator) -> str:
    """ "a person sitting next to a green car on a street"; "in front of" and "behind" are true."""
    first, second = groups
    coloured, posed = rng.random() < 0.45, rng.random() < 0.5
    relation = _pick(BESIDE, rng)
    if len(first) == len(second) == 1 and rng.random() < 0.5:
        gap = _depth(second[0], scene) - _depth(first[0], scene)
        if abs(gap) > 0.4:
            relation = "in front of" if gap > 0 else "behind"
    text = f"{_noun(first, coloured, posed, rng)} {relation} {_noun(second, coloured, False, rng)}"
    prefix = f"{_pick(PREFIXES, rng)} " if rng.random() < 0.5 else ""
    return prefix + text + _circumstances(scene, rng)


def _depth(body: Body, scene: Scene) -> float:
    """Distance from the camera on the ground plan, in metres."""
    dx, dz = body.position[0] - scene.camera.position[0], body.position[2] - scene.camera.position[2]
    return float(np.hypot(dx, dz))


def _circumstances(scene: Scene, rng: np.random.Generator) -> str:
    """ " in a room", " on a street at night" or nothing."""
    text = f" {_pick(SETTINGS[scene.setting.kind], rng)}" if rng.random() < 0.55 else ""
    if scene.style in WEATHER and rng.random() < 0.7:
        text += f" {_pick(WEATHER[scene.style], rng)}"
    return text


def _bare_list(groups: Sequence[Sequence[Body]], rng: np.random.Generator) -> str:
    """ "dog, chair" or "two dogs and chair"."""
    words = [
        _word(_name(group[0]), False, rng)
        if len(group) == 1
        else f"{NUMBERS[len(group)]} {_word(_name(group[0]), True, rng)}"
        for group in groups
    ]
    return (", " if rng.random() < 0.6 else " and " if len(words) == 2 else " ").join(words)

"""Prompts made from class names: balanced over the classes, in words that the embedded generator's captions use.

Of every k consecutive indices (k classes) each class leads one prompt, in an order of its own for every round. Three in
five prompts name one class, the others two; some say how many, what colour, or where. Plain English, so it suits any
text-to-image model.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dataset_dm.miniature.world import display_name
from dataset_dm.miniature.world.captions import SETTINGS
from dataset_dm.miniature.world.palette import NAMES as COLOURS
from dataset_dm.miniature.world.places import COMPANY, PLACES
from dataset_dm.prompts.classes import singular_and_plural
from dataset_dm.records import Prompt

PREFIXES = ("a photo of", "a photo of", "a photo of", "a picture of", "an image of")
NUMBERS = ("two", "two", "three")
JOINTS = ("and", "and", "and", "next to", "beside", "near")
KINDS = ("room", "street", "field", "water", "sky")

TWO_CLASSES = 0.4  # share of prompts
SEVERAL = 0.15  # of the named things
COLOURED = 0.2
PLACED = 0.5
IN_COMPANY = 0.5  # second classes drawn among things that are often seen with the first

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Templates:
    """Balanced prompts over `classes`; raises nothing: the classes were checked when the plan was made."""

    classes: tuple[str, ...]

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index with the classes it names, the leading class first."""
        rng = _stream("prompt", seed, split, index)
        first = self._leader(seed, split, index)
        named = (first,)
        if len(self.classes) > 1 and rng.random() < TWO_CLASSES:
            named = (first, self._companion(first, rng))
        return Prompt(_sentence(named, rng), named)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; it covers every word a prompt may hold, so that other words mean other images."""
        return {"kind": "templates", "classes": list(self.classes), "words": _words_hash(self.classes)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Templates:
        """The inverse of `to_dict`."""
        return cls(tuple(plain["classes"]))

    def _leader(self, seed: int, split: str, index: int) -> str:
        round_, place = divmod(index, len(self.classes))
        return _shuffled(self.classes, _stream("round", seed, split, round_))[place]

    def _companion(self, first: str, rng: random.Random) -> str:
        others = [name for name in self.classes if name != first]
        if rng.random() < IN_COMPANY:
            near = next((group for group in COMPANY if first in group), ())
            others = [name for name in others if name in near] or others
        return _pick(others, rng)


def _sentence(named: Sequence[str], rng: random.Random) -> str:
    nouns = [_noun(name, rng) for name in named]
    joint = f" {_pick(JOINTS, rng)} "
    return f"{_pick(PREFIXES, rng)} {joint.join(nouns)}{_place(named, rng)}"


def _noun(name: str, rng: random.Random) -> str:
    singular, plural = singular_and_plural(name)
    several = rng.random() < SEVERAL
    colour = f"{_pick(COLOURS, rng)} " if rng.random() < COLOURED else ""
    if several:
        return f"{_pick(NUMBERS, rng)} {colour}{plural}"
    phrase = f"{colour}{singular}"
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def _place(named: Sequence[str], rng: random.Random) -> str:
    """ " in a field" half of the time, where all named things can be; nothing for things whose places are unknown."""
    placed, where, which = rng.random() < PLACED, rng.random(), rng.random()
    if not placed or any(name not in PLACES for name in named):
        return ""
    weights = [1.0] * len(KINDS)
    for name in named:
        weights = [weight * share for weight, share in zip(weights, PLACES[name], strict=True)]
    kind = _weighted(KINDS, weights, where)
    options = SETTINGS[kind]
    return f" {options[int(which * len(options))]}"


def _weighted(options: Sequence[_Item], weights: Sequence[float], luck: float) -> _Item:
    left = luck * sum(weights)
    for option, weight in zip(options, weights, strict=True):
        left -= weight
        if left < 0:
            return option
    return options[max(range(len(options)), key=lambda position: weights[position])]


def _stream(purpose: str, seed: int, split: str, number: int) -> random.Random:
    """A stream of its own for every index. Only `random()` is used: Python promises it never changes for a seed."""
    digest = hashlib.sha256(f"{purpose}/{seed}/{split}/{number}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def _pick(options: Sequence[_Item], rng: random.Random) -> _Item:
    return options[int(rng.random() * len(options))]


def _shuffled(items: Sequence[_Item], rng: random.Random) -> list[_Item]:
    """Fisher-Yates."""
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


@functools.lru_cache(maxsize=32)
def _words_hash(classes: tuple[str, ...]) -> str:
    tables = [
        [singular_and_plural(name) for name in classes],
        [PLACES.get(name) for name in classes],
        [display_name(name) for name in classes],
        [PREFIXES, NUMBERS, JOINTS, COLOURS, COMPANY, sorted(SETTINGS.items())],
        [TWO_CLASSES, SEVERAL, COLOURED, PLACED, IN_COMPANY],
    ]
    return hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:16]

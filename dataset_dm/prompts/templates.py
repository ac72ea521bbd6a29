"""Prompts made from class names, balanced over the classes, with the vocabulary of the embedded generator's captions.

Of every k consecutive indices (k classes) each class leads one prompt, in a separate order for each round; with
weights, each class leads its share. Three in five prompts name one class, the others two; some name a number, a colour
or a setting. The plain English sentences suit any text-to-image model.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dataset_dm.checks import check_choice, check_number
from dataset_dm.errors import PromptError
from dataset_dm.labels.classes import singular_and_plural, world_name
from dataset_dm.labels.records import Prompt
from dataset_dm.labels.vocabulary import display_name
from dataset_dm.miniature.world.captions import SETTINGS
from dataset_dm.miniature.world.palette import NAMES as COLOURS
from dataset_dm.miniature.world.places import COMPANY, PLACES

PREFIXES = ("a photo of", "a photo of", "a photo of", "a picture of", "an image of")
NUMBERS = ("two", "two", "three")
JOINTS = ("and", "and", "and", "next to", "beside", "near")
KINDS = ("room", "street", "field", "water", "sky")

TWO_CLASSES = 0.4  # share of prompts
SEVERAL = 0.15  # of the named classes
COLOURED = 0.2
PLACED = 0.5
IN_COMPANY = 0.5  # of second classes: drawn among classes that often occur with the first

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Templates:
    """Balanced prompts over classes.

    Args:
        classes: the labelled classes, without background.
        prompted: classes that prompts name; default: all, except those that suit none of the `places`.
        weights: class → share of the prompts that it leads, and weight as a second class, on any scale; 0 for classes
            left out. A mapping or pairs. Default: uniform.
        places: kinds of setting (room, street, field, water, sky) of which every prompt names one; default: some
            prompts name any that suits.
        always: a class that every prompt names first, alone or with one other.

    Raises:
        PromptError: an unknown class, an unknown kind of setting, a weight that is not a number of at least 0.

    >>> Templates(("cat", "dog"), weights={"cat": 3, "dog": 1}).prompt(0, "train", 0)  # doctest: +SKIP
    """

    classes: tuple[str, ...]
    prompted: tuple[str, ...] | None = None
    weights: tuple[tuple[str, float], ...] | Mapping[str, float] | None = None
    places: tuple[str, ...] | None = None
    always: str | None = None

    def __post_init__(self) -> None:
        pairs = self.weights.items() if isinstance(self.weights, Mapping) else self.weights
        given = {
            "classes": tuple(self.classes),
            "prompted": None if self.prompted is None else tuple(self.prompted),
            "weights": None if pairs is None else tuple((name, share) for name, share in pairs),
            "places": None if self.places is None else tuple(self.places),
        }
        for name, value in given.items():  # lists and mappings become tuples, so that equal plans compare equal
            object.__setattr__(self, name, value)
        _check(self)

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index and its classes, the leading class first."""
        rng = _stream("prompt", seed, split, index)
        leader = self._leader(seed, split, index)
        if self.always is not None:
            company = rng.random() < TWO_CLASSES and leader != self.always
            named: tuple[str, ...] = (self.always, leader) if company else (self.always,)
        else:
            others = [name for name in _leading(self) if name != leader]
            company = bool(others) and rng.random() < TWO_CLASSES
            named = (leader, self._companion(leader, others, rng)) if company else (leader,)
        return Prompt(_sentence(named, self.places, rng), named)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, with a hash of the vocabulary, so that other words mean other images.

        Options at their defaults are left out, which keeps fingerprints from before they existed.
        """
        chosen = {
            "prompted": self.prompted,
            "weights": None if self.weights is None else [list(pair) for pair in self.weights],
            "places": self.places,
            "always": self.always,
        }
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in chosen.items() if v is not None}
        return {"kind": "templates", "classes": list(self.classes), "words": _words_hash(self.classes), **plain}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Templates:
        """The inverse of `to_dict`."""
        return cls(**{name: value for name, value in plain.items() if name not in ("kind", "words")})

    def _leader(self, seed: int, split: str, index: int) -> str:
        names = _leading(self)
        round_, place = divmod(index, len(names))
        rng = _stream("round", seed, split, round_)
        if self.weights is None:
            return _shuffled(names, rng)[place]
        shares, names = dict(self.weights), tuple(_shuffled(names, rng))
        return _shuffled(_in_proportion(names, [shares[name] for name in names], rng), rng)[place]

    def _companion(self, first: str, others: list[str], rng: random.Random) -> str:
        if rng.random() < IN_COMPANY:
            near = next((group for group in COMPANY if world_name(first) in group), ())
            others = [name for name in others if world_name(name) in near] or others
        if self.weights is None:
            return _pick(others, rng)
        shares = dict(self.weights)
        return _weighted(others, [shares[name] for name in others], rng.random())


def _check(given: Templates) -> None:
    """Raises PromptError for an unknown class or setting, a bad weight, or no class to prompt."""
    lists = {
        "prompted": given.prompted,
        "weights": None if given.weights is None else [name for name, _ in given.weights],
        "always": None if given.always is None else [given.always],
    }
    for what, names in lists.items():
        for name in names or ():
            check_choice(f"prompts: {what}", name, given.classes, error=PromptError)
    for kind in given.places or ():
        check_choice("prompts: places", kind, KINDS, error=PromptError)
    for name, share in given.weights or ():
        check_number(f"prompts: weight of {name}", share, 0, error=PromptError)
    if not _leading(given):
        remedy = "prompt other classes, weigh one of them above 0, or allow other places"
        raise PromptError(f"prompts: no class is left that a prompt may name; {remedy}")


def _leading(given: Templates) -> tuple[str, ...]:
    """The classes that may lead a prompt, in label order."""
    names = given.classes if given.prompted is None else given.prompted
    if given.weights is not None:
        shares = dict(given.weights)
        names = tuple(name for name in names if shares.get(name, 0) > 0)
    if given.places is None or given.prompted is not None:
        return names
    return tuple(name for name in names if at_home(name, given.places))


def _fits(name: str, kind: str) -> float:
    """Weight of a kind of setting for a class; 1 for classes that the table lacks."""
    shares = PLACES.get(world_name(name))
    return 1.0 if shares is None else shares[KINDS.index(kind)]


def at_home(name: str, places: Sequence[str]) -> bool:
    """Whether a class has at least half of its largest weight in one of these kinds of setting."""
    best = max(_fits(name, kind) for kind in KINDS)
    return any(2 * _fits(name, kind) >= best for kind in places)


def _in_proportion(names: Sequence[str], shares: Sequence[float], rng: random.Random) -> list[str]:
    """`len(names)` draws, each name its share of them rounded up or down (systematic sampling)."""
    step, point, reached = sum(shares) / len(names), rng.random(), 0.0
    drawn: list[str] = []
    for name, share in zip(names, shares, strict=True):
        reached += share / step
        drawn += [name] * (math.ceil(reached - point) - len(drawn))
    return (drawn + [names[-1]])[: len(names)]  # the rounded sum of the shares may fall short


def _sentence(named: Sequence[str], places: Sequence[str] | None, rng: random.Random) -> str:
    nouns = [_noun(name, rng) for name in named]
    joint = f" {_pick(JOINTS, rng)} "
    return f"{_pick(PREFIXES, rng)} {joint.join(nouns)}{_place(named, places, rng)}"


def _noun(name: str, rng: random.Random) -> str:
    singular, plural = singular_and_plural(name)
    several = rng.random() < SEVERAL
    colour = f"{_pick(COLOURS, rng)} " if rng.random() < COLOURED else ""
    if several:
        return f"{_pick(NUMBERS, rng)} {colour}{plural}"
    phrase = f"{colour}{singular}"
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def _place(named: Sequence[str], places: Sequence[str] | None, rng: random.Random) -> str:
    """A setting such as " in a field" in half of the prompts; "" if a class's settings are unknown.

    With `places`, always one of these kinds, or "" if none of them suits all named classes.
    """
    placed, where, which = rng.random() < PLACED, rng.random(), rng.random()
    if places is None and (not placed or any(world_name(name) not in PLACES for name in named)):
        return ""
    weights = [math.prod(_fits(name, kind) for name in named) for kind in KINDS]
    if places is not None:
        weights = [weight if kind in places else 0.0 for kind, weight in zip(KINDS, weights, strict=True)]
        if not any(weights):
            return ""
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
    """A random stream for each index. Only `random()` is used, whose values Python guarantees for a seed."""
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
        [PLACES.get(world_name(name)) for name in classes],
        [display_name(name) for name in classes],
        [PREFIXES, NUMBERS, JOINTS, COLOURS, COMPANY, sorted(SETTINGS.items())],
        [TWO_CLASSES, SEVERAL, COLOURED, PLACED, IN_COMPANY],
    ]
    return hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:16]

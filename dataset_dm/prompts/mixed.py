"""Prompts of several sources by weight, such as DatasetDM's 70 % of a language model and 30 % of templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.source import PromptSource

_FINEST = 10**6  # largest denominator of a weight as a fraction


@dataclass(frozen=True, slots=True)
class Mixed:
    """Interleaved sources: of the first n prompts each source gives its share of n, up to one or two prompts.

    A source's own prompts 0, 1, 2, … are used in order, so that a balanced source stays balanced. The source of a
    prompt depends on the index alone.

    Args:
        parts: the sources, each once, with weights on any scale; stored as shares that sum to 1.

    Raises:
        PromptError: no source, a repeated source, or a weight that is not a number above 0.

    >>> from dataset_dm.prompts import Lines
    >>> cats, dogs = Lines((Prompt("a cat"),)), Lines((Prompt("a dog"),))
    >>> [Mixed(((cats, 3), (dogs, 1))).prompt(0, "train", index).text for index in range(4)]
    ['a cat', 'a cat', 'a dog', 'a cat']
    """

    parts: tuple[tuple[PromptSource, Fraction], ...]

    def __post_init__(self) -> None:
        pairs = [(source, _weight(weight)) for source, weight in self.parts]
        if not pairs:
            raise PromptError(explain("prompts", got=[], expected="at least one source of the mix"))
        plain = [source.to_dict() for source, _ in pairs]
        for position, one in enumerate(plain):
            if one in plain[:position]:
                remedy = "give it once, with all of its weight"
                raise PromptError(explain(f"prompts: source {position} is an earlier one again", remedy=remedy))
        total = sum(weight for _, weight in pairs)
        object.__setattr__(self, "parts", tuple((source, weight / total) for source, weight in pairs))

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The next prompt of the source of this index."""
        number, turn = self.turn(index)
        return self.parts[number][0].prompt(seed, split, turn)

    def turn(self, index: int) -> tuple[int, int]:
        """(position of the source, index among its own prompts) of an index.

        The first source takes its share of all indices, the second its share of the remaining ones, and so on.
        """
        left = Fraction(1)
        for number, (_, share) in enumerate(self.parts):
            before, after = (_taken(upto, share / left) for upto in (index, index + 1))
            if after > before:
                return number, before
            index, left = index - before, left - share
        raise AssertionError("the last source takes all remaining indices")

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, dict[str, int]]]:
        """Every source with the number of its prompts among the first `counts[split]` ones."""
        left, total = dict(counts), Fraction(1)
        for source, share in self.parts:
            own = {split: _taken(count, share / total) for split, count in left.items()}
            yield source, own
            left, total = {split: count - own[split] for split, count in left.items()}, total - share

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"kind": "mixed", "parts": [[source.to_dict(), str(share)] for source, share in self.parts]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], read: Callable[[dict[str, Any]], PromptSource]) -> Mixed:
        """The inverse of `to_dict`; `read` is the inverse of the sources'."""
        return cls(tuple((read(source), Fraction(share)) for source, share in plain["parts"]))


def mix_of(items: Sequence[Mapping[str, Any]], read: Callable[[Any], PromptSource]) -> Mixed:
    """The mix of a list such as [{"source": "templates", "weight": 0.3}, …].

    Args:
        items: the sources; the default weight is 1.
        read: makes a source of the value of "source".

    Raises:
        PromptError: other keys, no source.
    """
    parts = []
    for position, item in enumerate(items):
        if not isinstance(item, Mapping) or "source" not in item or set(item) - {"source", "weight"}:
            got = dict(item) if isinstance(item, Mapping) else item
            expected = "{'source': …, 'weight': …}, as the other parts of the mix"
            raise PromptError(explain(f"prompts[{position}]", got=got, expected=expected))
        parts.append((read(item["source"]), item.get("weight", 1)))
    return Mixed(tuple(parts))


def _weight(given: object) -> Fraction:
    number = isinstance(given, (int, float, Fraction)) and not isinstance(given, bool)
    if number and math.isfinite(given):
        weight = given if isinstance(given, Fraction) else Fraction(given).limit_denominator(_FINEST)
        if weight > 0:
            return weight
    raise PromptError(explain("prompts: weight of a source", got=given, expected="a number above 0"))


def _taken(count: int, share: Fraction) -> int:
    """Number of the first `count` indices that a source takes: its share, halves rounded up."""
    return math.floor(count * share + Fraction(1, 2))

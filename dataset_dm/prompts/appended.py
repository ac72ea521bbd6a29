"""Prompts with the names of their classes at the end, as Dataset Diffusion has them: "a baby in a toy car; person car".

The names are part of the text that is drawn, so every labeller sees the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataset_dm.labels.classes import class_words, find_classes
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.source import PromptSource

BEFORE_NAMES = "; "


@dataclass(frozen=True, slots=True)
class Appended:
    """A source whose prompts end with the words of their classes.

    Args:
        source: what the prompts come from.
        classes: the names that are labelled; they are looked for in a prompt whose classes nobody said. A prompt that
            shows none of them stays as it is.

    >>> from dataset_dm.prompts import Lines
    >>> baby = Lines((Prompt("a baby in a toy car", ("person", "car")),))
    >>> Appended(baby, ("car", "person")).prompt(0, "train", 0).text
    'a baby in a toy car; person car'
    """

    source: PromptSource
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))  # frozen: equal plans are equal, given a list or not

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The source's prompt with the names behind it, in the order in which the source says them."""
        given = self.source.prompt(seed, split, index)
        named = find_classes(given.text, self.classes) if given.classes is None else given.classes
        if not named:
            return given
        return Prompt(f"{given.text}{BEFORE_NAMES}{' '.join(class_words(named))}", given.classes)

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, Mapping[str, int]]]:
        """What the first `counts[split]` prompts need of the source: as many."""
        yield self.source, counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; it covers the words that are appended."""
        words = class_words(self.classes)
        return {"kind": "appended", "source": self.source.to_dict(), "classes": list(self.classes), "words": words}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], read: Callable[[dict[str, Any]], PromptSource]) -> Appended:
        """The inverse of `to_dict`; `read` makes the inner source of its own form."""
        return cls(read(plain["source"]), tuple(plain["classes"]))

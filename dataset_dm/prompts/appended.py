"""Prompts that end with the names of their classes (Dataset Diffusion): "a baby in a toy car; person car".

The names are part of the prompt of an image, so every annotator reads the same images.
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
        source: of the prompts.
        classes: the names that are labelled; they are searched in the text of a prompt without given classes. A prompt
            without any of them is unchanged.

    >>> from dataset_dm.prompts import Lines
    >>> baby = Lines((Prompt("a baby in a toy car", ("person", "car")),))
    >>> Appended(baby, ("car", "person")).prompt(0, "train", 0).text
    'a baby in a toy car; person car'
    """

    source: PromptSource
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))  # equal plans compare equal, for lists and tuples

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of the source followed by the names, in the order of the source."""
        given = self.source.prompt(seed, split, index)
        named = find_classes(given.text, self.classes) if given.classes is None else given.classes
        if not named:
            return given
        return Prompt(f"{given.text}{BEFORE_NAMES}{' '.join(class_words(named))}", given.classes)

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, Mapping[str, int]]]:
        """The same number of prompts of the source."""
        yield self.source, counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; it covers the words that are appended."""
        words = class_words(self.classes)
        return {"kind": "appended", "source": self.source.to_dict(), "classes": list(self.classes), "words": words}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], read: Callable[[dict[str, Any]], PromptSource]) -> Appended:
        """The inverse of `to_dict`; `read` makes the inner source of its own form."""
        return cls(read(plain["source"]), tuple(plain["classes"]))

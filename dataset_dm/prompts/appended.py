"""Prompts with their class names at the end, as in Dataset Diffusion: "a baby in a toy car; person car".

The names are part of the prompt that the generator reads, so images do not depend on the annotator.
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
        source: the source of the prompts.
        classes: the labelled classes; found in the text of a prompt without a class list. A prompt that names none of
            them is left unchanged.

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
        """The source's prompt followed by its class names, in the source's order."""
        given = self.source.prompt(seed, split, index)
        named = find_classes(given.text, self.classes) if given.classes is None else given.classes
        if not named:
            return given
        return Prompt(f"{given.text}{BEFORE_NAMES}{' '.join(class_words(named))}", given.classes)

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, Mapping[str, int]]]:
        """The source, with `counts` unchanged."""
        yield self.source, counts

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, including the words that are appended."""
        words = class_words(self.classes)
        return {"kind": "appended", "source": self.source.to_dict(), "classes": list(self.classes), "words": words}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], read: Callable[[dict[str, Any]], PromptSource]) -> Appended:
        """The inverse of `to_dict`; `read` is the inverse of the inner source's."""
        return cls(read(plain["source"]), tuple(plain["classes"]))

"""The interface of a language model that writes prompts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dataset_dm.errors import PromptError, explain


@dataclass(frozen=True, slots=True)
class Ask:
    """One requested prompt.

    Args:
        classes: the classes it shows.
        words: their names in the prompt, in the same order.
        beginning: a plain prompt with them; a model that only completes texts completes this one.
    """

    classes: tuple[str, ...]
    words: tuple[str, ...]
    beginning: str

    @property
    def line(self) -> str:
        """ "dog, sofa (for instance: a photo of a dog on a sofa in a kitchen)"; the instance may name a place."""
        return f"{', '.join(self.words)} (for instance: {self.beginning})"


class Writer(Protocol):
    """A language model; frozen, and equal to another one with the same settings."""

    @property
    def label(self) -> str:
        """Its name in error messages."""

    @property
    def parallel(self) -> int:
        """Number of threads that may call it concurrently."""

    def write(self, instruction: str, asks: Sequence[Ask], seed: int) -> list[str | None]:
        """One answer for each ask, or None; raises PromptError when the model cannot be reached."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, without any key."""


def frozen_options(
    options: Mapping[str, Any] | Iterable[tuple[str, Any]], ours: Sequence[str]
) -> tuple[tuple[str, Any], ...]:
    """A writer's options as pairs; PromptError for those in `ours`, and for values that are not JSON."""
    pairs = tuple((str(name), value) for name, value in dict(options).items())
    for name, value in pairs:
        if name in ours:
            raise PromptError(f"language model: option {name!r} is set by the package; leave it out")
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise PromptError(explain(f"language model: option {name!r}", got=value, expected="plain data")) from error
    return pairs

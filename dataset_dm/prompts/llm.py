"""The interface of a language model that writes prompts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dataset_dm.errors import PromptError, explain


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for one prompt.

    Args:
        classes: the classes to show.
        words: the words for them, in the same order.
        beginning: a template prompt of these classes; models without a chat template continue it.
    """

    classes: tuple[str, ...]
    words: tuple[str, ...]
    beginning: str

    @property
    def line(self) -> str:
        """The request as text: "dog, sofa (for instance: a photo of a dog on a sofa in a kitchen)"."""
        return f"{', '.join(self.words)} (for instance: {self.beginning})"


class Writer(Protocol):
    """A language model with its settings; frozen, equal if the settings are."""

    @property
    def label(self) -> str:
        """Its name in error messages."""

    @property
    def parallel(self) -> int:
        """Requests that may run at the same time, in threads."""

    def write(self, instruction: str, asks: Sequence[Ask], seed: int) -> list[str | None]:
        """One answer for each request, None for a missing one; raises PromptError if the model cannot be reached."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, without the API key."""


def frozen_options(
    options: Mapping[str, Any] | Iterable[tuple[str, Any]], ours: Sequence[str]
) -> tuple[tuple[str, Any], ...]:
    """A writer's options as pairs; PromptError for one that the package sets itself (`ours`), or that is not JSON."""
    pairs = tuple((str(name), value) for name, value in dict(options).items())
    for name, value in pairs:
        if name in ours:
            raise PromptError(f"language model: option {name!r} is set by the package; leave it out")
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise PromptError(explain(f"language model: option {name!r}", got=value, expected="plain data")) from error
    return pairs

"""Who writes prompts: the interface of a language model, and the table of those that there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dataset_dm.errors import PromptError, explain


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt that is asked for.

    Args:
        classes: the classes it shows.
        words: what to call them, in the same order.
        beginning: a plain prompt that shows them; a model that only goes on with texts goes on with this one.
    """

    classes: tuple[str, ...]
    words: tuple[str, ...]
    beginning: str

    @property
    def line(self) -> str:
        """ "dog, sofa (for instance: a photo of a dog on a sofa in a kitchen)"; the instance may name a place."""
        return f"{', '.join(self.words)} (for instance: {self.beginning})"


class Writer(Protocol):
    """A language model; frozen, and equal to another one that writes alike."""

    @property
    def label(self) -> str:
        """What error messages call it."""

    @property
    def parallel(self) -> int:
        """How many threads may ask it at the same time."""

    def write(self, instruction: str, asks: Sequence[Ask], seed: int) -> list[str | None]:
        """One answer for each ask, None where there is none; raises PromptError when the model cannot be asked."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; it holds no key."""


def frozen_options(
    options: Mapping[str, Any] | Iterable[tuple[str, Any]], ours: Sequence[str]
) -> tuple[tuple[str, Any], ...]:
    """A writer's options as pairs; PromptError for one of those that are `ours` to set, or that JSON cannot say."""
    pairs = tuple((str(name), value) for name, value in dict(options).items())
    for name, value in pairs:
        if name in ours:
            raise PromptError(f"language model: option {name!r} is set by the package; leave it out")
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise PromptError(explain(f"language model: option {name!r}", got=value, expected="plain data")) from error
    return pairs

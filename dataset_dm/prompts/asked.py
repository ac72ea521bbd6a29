"""Which of a set's classes a prompt asks for."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_dm.prompts.classes import find_classes
from dataset_dm.records import Prompt


def asked_positions(prompt: Prompt, classes: Sequence[str]) -> list[int]:
    """Positions in `classes` that a prompt asks for, ascending; empty when it names none.

    >>> asked_positions(Prompt("a dog and two cats"), ["cat", "dog", "car"])
    [0, 1]
    """
    named = find_classes(prompt.text, classes) if prompt.classes is None else prompt.classes
    return [position for position, name in enumerate(classes) if name in named]

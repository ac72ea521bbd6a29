"""Classes that a prompt asks for."""

import pytest

from dataset_dm.labels.classes import asked_positions
from dataset_dm.labels.records import Prompt


@pytest.mark.parametrize(
    ("prompt", "positions"),
    [
        (Prompt("whatever", ("dog",)), [1]),
        (Prompt("a dog and two cats"), [0, 1]),
        (Prompt("a sunset"), []),
    ],
)
def test_named_classes(prompt: Prompt, positions: list[int]) -> None:
    assert asked_positions(prompt, ("cat", "dog", "car")) == positions

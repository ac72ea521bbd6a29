"""Paths of the models in the package: "miniature", the embedded generator with its decoder and judge."""

from __future__ import annotations

from pathlib import Path

from dataset_dm.arguments.table import MINIATURE

WEIGHTS = Path(__file__).parents[1] / "miniature" / "weights"


def locate(name: str, part: str = "generator") -> str:
    """The shipped folder of `part` (generator, decoder, judge) when `name` is "miniature"; any other name unchanged."""
    return str(WEIGHTS / part) if name == MINIATURE else name

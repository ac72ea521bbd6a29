"""Miniature: the embedded text-to-image model, its world with exact truth, and its judge."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
NAME = "miniature"


def locate(name: str, part: str = "generator") -> str:
    """The shipped folder of `part` (generator, decoder, judge) when `name` is "miniature"; any other name unchanged."""
    return str(WEIGHTS / part) if name == NAME else name

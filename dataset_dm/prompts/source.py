"""The interface of a prompt source."""

from __future__ import annotations

from typing import Any, Protocol

from dataset_dm.labels.records import Prompt


class PromptSource(Protocol):
    """A prompt for every index; equal (seed, split, index) give equal prompts."""

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, the inverse of `source_from_dict`; the fingerprint covers it."""


SEPARATOR = " | "  # between the prompts of a mosaic

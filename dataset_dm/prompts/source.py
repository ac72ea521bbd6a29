"""The interface of a prompt source."""

from __future__ import annotations

from typing import Any, Protocol

from dataset_dm.labels.records import Prompt


class PromptSource(Protocol):
    """A deterministic function from (seed, split, index) to a prompt."""

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, covered by the plan's fingerprint; `dataset_dm.prompts.source_from_dict` is the inverse."""


SEPARATOR = " | "  # between the prompts of a mosaic

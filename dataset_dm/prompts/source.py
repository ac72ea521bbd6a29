"""The interface of a prompt source."""

from __future__ import annotations

from typing import Any, Protocol

from dataset_dm.labels.records import Prompt


class PromptSource(Protocol):
    """Gives every index its prompt; the same (seed, split, index) always the same one."""

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `dataset_dm.prompts.source_from_dict` reads it back. It is what the fingerprint covers."""


SEPARATOR = " | "  # between the prompts of a mosaic

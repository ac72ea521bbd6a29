"""The interface of a prompt source, and the JSON-ready form of sources that are dataclasses."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol

from dataset_dm.labels.records import Prompt


class PromptSource(Protocol):
    """A deterministic function from (seed, split, index) to a prompt."""

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, covered by the plan's fingerprint; `dataset_dm.prompts.source_from_dict` is the inverse."""


SEPARATOR = " | "  # between the prompts of a mosaic


def plain_form(kind: str, source: Any) -> dict[str, Any]:
    """JSON-ready form of a dataclass: `kind`, then its fields; tuples as lists, nested sources in their plain forms."""
    return {"kind": kind, **{entry.name: _plain(getattr(source, entry.name)) for entry in fields(source)}}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value

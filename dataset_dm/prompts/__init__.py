"""Where prompts come from: balanced templates over the classes, or a file; and which classes a plain text names."""

from __future__ import annotations

from typing import Any

from dataset_dm.plan import PromptSource
from dataset_dm.prompts.classes import class_words, find_classes, wordings
from dataset_dm.prompts.file import Lines, check_separable, read_prompts
from dataset_dm.prompts.templates import Templates, at_home
from dataset_dm.records import Prompt

__all__ = [
    "Lines",
    "Prompt",
    "PromptSource",
    "Templates",
    "at_home",
    "check_separable",
    "class_words",
    "find_classes",
    "read_prompts",
    "source_from_dict",
    "wordings",
]


def source_from_dict(plain: dict[str, Any]) -> PromptSource:
    """The inverse of a source's `to_dict`."""
    kinds = {"templates": Templates.from_dict, "lines": Lines.from_dict}
    return kinds[plain["kind"]](plain)

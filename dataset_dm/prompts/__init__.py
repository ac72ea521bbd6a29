"""Prompt sources: templates, a file, captions of a dataset, a language model, a mix of them."""

from __future__ import annotations

from typing import Any

from dataset_dm.prompts.appended import Appended
from dataset_dm.prompts.cached_source import prepare
from dataset_dm.prompts.captions import Captions
from dataset_dm.prompts.diversity import Diversity, diversity_of
from dataset_dm.prompts.file import Lines, read_prompts
from dataset_dm.prompts.language_model import LanguageModel
from dataset_dm.prompts.llm_api import Endpoint
from dataset_dm.prompts.llm_local import LocalModel
from dataset_dm.prompts.mixed import Mixed, mix_of
from dataset_dm.prompts.mosaic_check import check_separable
from dataset_dm.prompts.named import named_source
from dataset_dm.prompts.source import PromptSource
from dataset_dm.prompts.templates import Templates, at_home

__all__ = [
    "SOURCES",
    "Appended",
    "Captions",
    "Diversity",
    "Endpoint",
    "LanguageModel",
    "Lines",
    "LocalModel",
    "Mixed",
    "Templates",
    "at_home",
    "check_separable",
    "diversity_of",
    "mix_of",
    "named_source",
    "prepare",
    "read_prompts",
    "source_from_dict",
]

# every kind of source; `prompts=` takes any of them
SOURCES = (Appended, Captions, LanguageModel, Lines, Mixed, Templates)


def source_from_dict(plain: dict[str, Any]) -> PromptSource:
    """The inverse of a source's `to_dict`."""
    kinds = {
        "appended": lambda plain: Appended.from_dict(plain, source_from_dict),
        "captions": Captions.from_dict,
        "language_model": LanguageModel.from_dict,
        "lines": Lines.from_dict,
        "mixed": lambda plain: Mixed.from_dict(plain, source_from_dict),
        "templates": Templates.from_dict,
    }
    return kinds[plain["kind"]](plain)

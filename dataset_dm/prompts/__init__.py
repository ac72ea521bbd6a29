"""Where prompts come from: templates, a file, captions, a language model, a mix; which classes a plain text names."""

from __future__ import annotations

from typing import Any

from dataset_dm.plan import PromptSource
from dataset_dm.prompts.appended import Appended
from dataset_dm.prompts.captions import Captions
from dataset_dm.prompts.classes import Mention, class_list, class_words, find_classes, mentions, wordings
from dataset_dm.prompts.diversity import Diversity, diversity_of
from dataset_dm.prompts.endpoint import Endpoint
from dataset_dm.prompts.file import Lines, read_prompts
from dataset_dm.prompts.frozen import prepare
from dataset_dm.prompts.language_model import LanguageModel
from dataset_dm.prompts.local_model import LocalModel
from dataset_dm.prompts.mixed import Mixed, mix_of
from dataset_dm.prompts.named import named_source
from dataset_dm.prompts.separable import check_separable
from dataset_dm.prompts.templates import Templates, at_home
from dataset_dm.records import Prompt

__all__ = [
    "SOURCES",
    "Appended",
    "Captions",
    "Diversity",
    "Endpoint",
    "LanguageModel",
    "Lines",
    "LocalModel",
    "Mention",
    "Mixed",
    "Prompt",
    "PromptSource",
    "Templates",
    "at_home",
    "check_separable",
    "class_list",
    "class_words",
    "diversity_of",
    "find_classes",
    "mentions",
    "mix_of",
    "named_source",
    "prepare",
    "read_prompts",
    "source_from_dict",
    "wordings",
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

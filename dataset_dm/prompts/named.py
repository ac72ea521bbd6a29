"""Prompt sources by name, for the command line and `prompts=`:

templates                    sentences over the classes, the default; a file of that name is ./templates
captions:DATASET#COLUMN      captions that name a class: captions:owner/name@revision#caption, captions:my.csv#text
openai:MODEL                 a chat model at $OPENAI_BASE_URL, else at OpenAI
transformers:MODEL           a language model of transformers: a folder or a Hub id
"""

from __future__ import annotations

from collections.abc import Callable

from dataset_dm.errors import PromptError, explain
from dataset_dm.prompts.captions import Captions
from dataset_dm.prompts.language_model import LanguageModel
from dataset_dm.prompts.llm_api import Endpoint
from dataset_dm.prompts.llm_local import LocalModel
from dataset_dm.prompts.source import PromptSource
from dataset_dm.prompts.templates import Templates


def named_source(given: str, templates: Templates) -> PromptSource | None:
    """The source of a name such as "openai:gpt-4o-mini"; None for any other text.

    Args:
        given: a name, see the table in the module's docstring.
        templates: the plan's default prompts, for the classes and the class mix.

    Raises:
        PromptError, ModelError: the part after the colon is empty or cannot be used.
    """
    if given == TEMPLATES:
        return templates
    kind, colon, rest = given.partition(":")
    if not colon or kind not in KINDS:
        return None
    if not rest.strip():
        expected = f"such as {EXAMPLES[kind]}"
        raise PromptError(explain("prompts", got=given, expected=expected))
    return KINDS[kind](rest.strip(), templates)


def _captions(rest: str, templates: Templates) -> PromptSource:
    dataset, hash_, column = rest.rpartition("#")
    if not hash_ or not dataset or not column:
        expected = f"a dataset and its column such as {EXAMPLES['captions']}"
        raise PromptError(explain("prompts", got=f"captions:{rest}", expected=expected))
    if templates.weights is not None:
        return Captions(dataset=dataset, column=column, mix=templates)
    return Captions(dataset=dataset, column=column, classes=templates.prompted or templates.classes)


def _openai(rest: str, templates: Templates) -> PromptSource:
    return LanguageModel(writer=Endpoint(model=rest), mix=templates)


def _transformers(rest: str, templates: Templates) -> PromptSource:
    return LanguageModel(writer=LocalModel.find(rest), mix=templates)


TEMPLATES = "templates"
KINDS: dict[str, Callable[[str, Templates], PromptSource]] = {
    "captions": _captions,
    "openai": _openai,
    "transformers": _transformers,
}
EXAMPLES = {
    "captions": "captions:owner/name#caption",
    "openai": "openai:gpt-4o-mini",
    "transformers": "transformers:owner/name",
}

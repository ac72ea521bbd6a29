"""Check that a mosaic's joined prompts can be split again: none may contain the separator."""

from __future__ import annotations

from collections.abc import Iterator

from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.classes import class_words
from dataset_dm.prompts.appended import Appended
from dataset_dm.prompts.cached_source import Composed
from dataset_dm.prompts.file import Lines
from dataset_dm.prompts.source import SEPARATOR, PromptSource


def check_separable(prompts: PromptSource) -> None:
    """Raises PromptError for a prompt of a list, or an appended class name, that contains the separator.

    A mosaic's row joins the prompts of its tiles; generating it again from its provenance splits them.
    """
    for what, text in _known(prompts):
        if SEPARATOR in text:
            line = f"{what} {text!r}: {SEPARATOR!r} stands between the prompts of a mosaic"
            raise PromptError(explain(line, remedy=f"write the {what} without it, or leave splice out"))


def _known(prompts: PromptSource) -> Iterator[tuple[str, str]]:
    """(kind, text) of every text that is known before drawing; `tidy` cleans drawn ones."""
    if isinstance(prompts, Lines):
        yield from (("prompt", line.text) for line in prompts.prompts)
    if isinstance(prompts, Composed):
        for source, _ in prompts.shares({}):
            yield from _known(source)
    if isinstance(prompts, Appended):
        yield from (("class", name) for name in class_words(prompts.classes))

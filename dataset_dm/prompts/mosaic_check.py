"""Whether the prompts of a mosaic can be taken apart again: none may hold what stands between two of them."""

from __future__ import annotations

from collections.abc import Iterator

from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.classes import class_words
from dataset_dm.prompts.appended import Appended
from dataset_dm.prompts.cached_source import Composed
from dataset_dm.prompts.file import Lines
from dataset_dm.prompts.source import SEPARATOR, PromptSource


def check_separable(prompts: PromptSource) -> None:
    """A mosaic's row joins the prompts of its tiles: redrawing must be able to take them apart again.

    Raises PromptError for a prompt of a list, or an appended class name, that holds what stands between two prompts.
    """
    for what, text in _known(prompts):
        if SEPARATOR in text:
            said = f"{what} {text!r}: {SEPARATOR!r} stands between the prompts of a mosaic"
            raise PromptError(explain(said, remedy=f"write the {what} without it, or leave splice out"))


def _known(prompts: PromptSource) -> Iterator[tuple[str, str]]:
    """What is known to come up in prompts, and what it is; texts still to be drawn are cleaned when they come."""
    if isinstance(prompts, Lines):
        yield from (("prompt", line.text) for line in prompts.prompts)
    if isinstance(prompts, Composed):
        for source, _ in prompts.shares({}):
            yield from _known(source)
    if isinstance(prompts, Appended):
        yield from (("class", name) for name in class_words(prompts.classes))

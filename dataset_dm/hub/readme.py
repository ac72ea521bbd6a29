"""README.md of a repository on the Hub: YAML head and body."""

from __future__ import annotations

from typing import Any

from dataset_dm.cards.sections import merge
from dataset_dm.errors import DataError, explain


def split_card(card: str) -> tuple[str, str]:
    """The YAML head with its fences, and the body; an empty head when there is none."""
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    text = card.replace("\r\n", "\n")
    found = REGEX_YAML_BLOCK.search(text)
    return (found[0], text[found.end() :]) if found else ("", text)


def read_card(content: bytes, repo: str) -> tuple[dict[str, Any], str]:
    """The head as values, and the body; DataError for a head that is not a YAML mapping."""
    import yaml

    head, body = split_card(content.decode("utf-8", "replace"))
    if not head:
        return {}, body
    try:
        values = yaml.safe_load(head.strip().strip("-"))
        if isinstance(values, dict):
            return values, body
    except yaml.YAMLError:
        pass
    raise DataError(
        explain(f"push to {repo}: the YAML head of its README.md cannot be read", remedy="correct or remove it")
    )


def renewed(there: str, drawn: str, *, renew: bool) -> tuple[str, list[str]]:
    """The merged card, and notes for the user.

    Args:
        there: the body of the existing card, "" if there is none.
        drawn: a new card; its head is taken, and its parts replace those of the existing card.
        renew: replace edited parts too.
    """
    if not there.strip():
        return drawn, []
    head, body = split_card(drawn)
    merged = merge(there, body, renew=renew)
    notes = [f"card: part {name} was edited by hand and is kept (--renew-card replaces it)" for name in merged.edited]
    notes += ["card: the existing text is kept, the generated parts follow it"] if merged.foreign else []
    return f"{head}{merged.text}", notes

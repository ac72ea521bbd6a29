"""README.md on the Hub: its YAML head and its body."""

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
    """The head as values, and the body; DataError for a head that is no YAML mapping."""
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
        explain(f"push to {repo}: the YAML head of its README.md cannot be read", remedy="mend or remove it")
    )


def renewed(there: str, drawn: str, *, renew: bool) -> tuple[str, list[str]]:
    """The card as it shall be, and what the user should know of it.

    Args:
        there: the body of the card that is there, "" without.
        drawn: a whole card as we draw it; its head counts, and its parts replace those that are there.
        renew: draw parts again though people edited them.
    """
    if not there.strip():
        return drawn, []
    head, body = split_card(drawn)
    merged = merge(there, body, renew=renew)
    notes = [
        f"card: part {name} was edited by hand and is kept (--renew-card draws it again)" for name in merged.edited
    ]
    notes += ["card: the text that was there is kept, ours follows it"] if merged.foreign else []
    return f"{head}{merged.text}", notes

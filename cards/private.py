"""Removal of tokens and local folders from cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}")
# a path from the root or a home directory; not the middle of a relative path or of an address
_FOLDERS = re.compile(r"(?<![\w.:/~-])(?:~[\w.-]*)?/(?:[^\s'\"/]+/)*(?=[^\s'\"/])")


def hide_tokens(text: str, *known: str | None) -> str:
    """The text without Hub tokens: those of the usual form, and the known ones."""
    for token in known:
        if token:
            text = text.replace(token, "hf_***")
    return _TOKEN.sub("hf_***", text)


def hide_folders(text: str) -> str:
    """The text with absolute and home paths cut to their last name.

    >>> hide_folders("dataset-dm generate voc_synth --prompts '~/texts/cats.txt' --out /home/me/voc16")
    "dataset-dm generate voc_synth --prompts 'cats.txt' --out voc16"
    """
    return _FOLDERS.sub("", text)


def public(value: Any) -> Any:
    """JSON values without folders and tokens."""
    if isinstance(value, Mapping):
        return {key: public(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [public(item) for item in value]
    return hide_tokens(hide_folders(value)) if isinstance(value, str) else value

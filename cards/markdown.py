"""Escaping of arbitrary text in markdown: prompts and names on cards are untrusted."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping

from dataset_dm.cards.private import hide_folders, hide_tokens

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#])")


def escape(text: object) -> str:
    """The text as one line of markdown that shows it literally: no tag, link, table cell or template."""
    line = _SPECIAL.sub(r"\\\1", " ".join(hide_tokens(str(text)).split()))
    opens_list = re.match(r"([-+]|\d+[.)]) ", line)
    if opens_list:
        end = opens_list.end() - 2
        line = f"{line[:end]}\\{line[end:]}"
    return html.escape(line, quote=False)


def code(text: str) -> str:
    """A command for a fenced block: it cannot close the fence or open a comment, and has no local folders."""
    return hide_tokens(hide_folders(text)).replace("```", "` ` `").replace("<!--", "<! --").strip()


def plain(value: object) -> str:
    """A setting as people write it: `a=1, b=2` for mappings, a comma list for sequences, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "–"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(item) for item in value) or "–"
    return str(value)

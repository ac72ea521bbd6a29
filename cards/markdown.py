"""Any text as markdown that shows it literally: for cards, whose prompts and names were written by anybody."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#])")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}")


def escape(text: object) -> str:
    """Any text as one line of markdown that shows it literally: no tag, link, table cell or template survives."""
    line = _SPECIAL.sub(r"\\\1", " ".join(hide_tokens(str(text)).split()))
    opens_list = re.match(r"([-+]|\d+[.)]) ", line)
    if opens_list:
        end = opens_list.end() - 2
        line = f"{line[:end]}\\{line[end:]}"
    return html.escape(line, quote=False)


def code(text: str) -> str:
    """A command for a fenced block: it can neither close the fence nor open a comment."""
    return hide_tokens(text).replace("```", "` ` `").replace("<!--", "<! --").strip()


def plain(value: object) -> str:
    """A setting as people write it: `a=1, b=2` for mappings, a comma list for sequences, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "–"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(item) for item in value) or "–"
    return str(value)


def hide_tokens(text: str, *known: str | None) -> str:
    """The text without Hub tokens: those of the usual shape, and those that are known."""
    for token in known:
        if token:
            text = text.replace(token, "hf_***")
    return _TOKEN.sub("hf_***", text)

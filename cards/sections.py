"""Generated parts of a card, and text that people wrote around and into them, which is kept.

A part stands between `<!-- dataset-dm:NAME DIGEST -->` and `<!-- /dataset-dm:NAME -->`; the digest is that of the
generated text, so later edits are detected.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_SECTION = re.compile(r"<!-- dataset-dm:([\w.-]+)(?: ([0-9a-f]{12}))? -->\n(.*?)\n<!-- /dataset-dm:\1 -->", re.DOTALL)
LAST = "about"  # new parts come before it


@dataclass(frozen=True)
class Merged:
    """A card's body after a merge; `edited` names the parts that people edited and that were kept."""

    text: str
    edited: tuple[str, ...] = ()
    foreign: bool = False  # the existing card had no generated part


def seal(body: str) -> str:
    """The body with the digest of its text in the first line of every part."""
    return _SECTION.sub(lambda found: _sealed(found[1], found[3]), body)


def merge(body: str, drawn: str, *, renew: bool = False) -> Merged:
    """The existing body with new versions of the generated parts.

    Args:
        body: the existing markdown, without its YAML head.
        drawn: the body of a sealed card; its parts replace those of the same name, new ones are added.
        renew: replace edited parts too.
    """
    fresh = {found[1]: found for found in _SECTION.finditer(drawn)}
    there = {found[1]: found for found in _SECTION.finditer(body)}
    if not there:
        parts = "\n\n".join(found[0] for found in fresh.values())
        kept = body.strip()
        return Merged(f"{kept}\n\n{parts}\n" if kept else drawn, foreign=bool(kept))
    edited = tuple(name for name, found in there.items() if name in fresh and found[2] != _digest(found[3]))
    replaced = set(fresh) & set(there) - (set() if renew else set(edited))
    text = _SECTION.sub(lambda found: fresh[found[1]][0] if found[1] in replaced else found[0], body)
    for name, found in fresh.items():
        if name not in there:
            text = _insert(text, found[0])
    return Merged(text, () if renew else edited)


def _insert(text: str, part: str) -> str:
    for found in _SECTION.finditer(text):
        if found[1] == LAST:
            return f"{text[: found.start()]}{part}\n\n{text[found.start() :]}"
    return f"{text.rstrip()}\n\n{part}\n"


def _sealed(name: str, text: str) -> str:
    return f"<!-- dataset-dm:{name} {_digest(text)} -->\n{text}\n<!-- /dataset-dm:{name} -->"


def _digest(text: str) -> str:
    # editors change line ends and strip blanks; that does not count as an edit
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(lines.encode()).hexdigest()[:12]

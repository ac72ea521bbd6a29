"""How a command line names prompt sources: one, or several with shares, as in `openai:MODEL=0.7 templates=0.3`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataset_dm.errors import ConfigError, explain

KINDS = "a file, templates, captions:DATASET#COLUMN, openai:MODEL or transformers:MODEL; for a mix several SOURCE=SHARE"


def asked_prompts(given: Sequence[str] | None) -> str | list[dict[str, Any]] | None:
    """What `prompts=` takes: None for nothing, the one source as it is, several as a mix.

    Raises ConfigError for several of which one has no number behind its last "=".
    """
    if not given:
        return None
    return given[0] if len(given) == 1 else [_part(text) for text in given]


def _part(text: str) -> dict[str, Any]:
    source, _, share = text.rpartition("=")
    try:
        weight = float(share)
    except ValueError:
        source = ""
    if not source:
        expected = "SOURCE=SHARE such as templates=0.3, for every source of a mix"
        raise ConfigError(explain("prompts", got=text, expected=expected))
    return {"source": source, "weight": weight}


def class_mix(option: str, given: str | None) -> dict[str, float] | None:
    """Class → share, of "dog=3,cat=1"; ConfigError, which names the option, for anything else."""
    if given is None:
        return None
    mix = {}
    for part in given.split(","):
        name, _, share = part.rpartition("=")
        try:
            mix[name.strip()] = float(share)
        except ValueError as error:
            raise ConfigError(explain(option, got=part, expected="NAME=SHARE such as dog=3")) from error
    return mix

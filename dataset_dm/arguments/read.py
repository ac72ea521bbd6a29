"""Text of a command line → values. What is no number, dict or bool stays text: the checks refuse it, in their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataset_dm.checks import parse_value
from dataset_dm.errors import ConfigError, explain


def whole(option: str, text: str) -> int | str:
    """An int, else the text."""
    try:
        return int(text)
    except ValueError:
        return text


def number(option: str, text: str) -> int | float | str:
    """An int or a float, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def plain(option: str, text: str) -> Any:
    """A number, a dict, a list or a bool where the text is one in JSON, else the text."""
    return parse_value(text)


def names(option: str, text: str) -> list[str]:
    """The names in "A, B"."""
    return [name.strip() for name in text.split(",") if name.strip()]


def counts(option: str, given: Sequence[str]) -> dict[str, int | str]:
    """Name → count of words such as "train=1000"; ConfigError for other words."""
    read: dict[str, int | str] = {}
    for text in given:
        name, equals, count = text.partition("=")
        if not equals or name in read:
            raise ConfigError(explain(option, got=text, expected="NAME=N such as train=1000, every name once"))
        read[name] = whole(option, count)
    return read


def shares(option: str, text: str) -> dict[str, float]:
    """Name → share, of "dog=3,cat=1"; ConfigError for anything else."""
    mix = {}
    for part in text.split(","):
        name, _, share = part.rpartition("=")
        try:
            mix[name.strip()] = float(share)
        except ValueError as error:
            raise ConfigError(explain(option, got=part, expected="NAME=SHARE such as dog=3")) from error
    return mix


def sources(option: str, given: Sequence[str]) -> str | list[dict[str, Any]]:
    """What `prompts=` takes: one source as it is, several of "SOURCE=SHARE" as a mix; ConfigError without a share."""
    return given[0] if len(given) == 1 else [_source(option, text) for text in given]


def _source(option: str, text: str) -> dict[str, Any]:
    source, _, share = text.rpartition("=")
    try:
        weight = float(share)
    except ValueError:
        source = ""
    if not source:
        expected = "SOURCE=SHARE such as templates=0.3, for every source of a mix"
        raise ConfigError(explain(option, got=text, expected=expected))
    return {"source": source, "weight": weight}

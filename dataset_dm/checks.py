"""Checks of single values: each returns the value in its proper type, or raises one line that names what was wrong.

>>> check_int("num_images", 64, 1)
64
>>> check_choice("dtype", "float23", ("float32", "float16"))
Traceback (most recent call last):
    ...
dataset_dm.errors.ConfigError: dtype: got 'float23', expected float32 or float16; did you mean 'float32'?
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from dataset_dm.errors import ConfigError, UserError, did_you_mean, explain


def check_int(
    name: str,
    value: object,
    minimum: int = 0,
    maximum: int | None = None,
    *,
    remedy: str = "",
    error: type[UserError] = ConfigError,
) -> int:
    """`value` as an int in minimum..maximum. `True`, 1.0 and "5" are refused; numpy's integers are taken.

    Raises `error` with one line.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < minimum or (maximum is not None and number > maximum):
        span = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise error(explain(name, got=value, expected=f"a whole number {span}", remedy=remedy))
    return number


def check_number(
    name: str,
    value: object,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    *,
    above: bool = False,
    expected: str = "",
    remedy: str = "",
    error: type[UserError] = ConfigError,
) -> float:
    """`value` as a finite float in minimum..maximum; booleans, texts, NaN and infinity are refused.

    Args:
        above: the minimum itself is refused too.
        expected: replaces the description of the range in the message.

    Raises `error` with one line.
    """
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if math.isfinite(number) and minimum <= number <= maximum and not (above and number == minimum):
        return float(number)
    raise error(explain(name, got=value, expected=expected or _range(minimum, maximum, above), remedy=remedy))


def check_choice(
    name: str, value: object, options: Collection[str], *, remedy: str = "", error: type[UserError] = ConfigError
) -> str:
    """`value` if it is one of `options`; `error` with the closest one for anything else."""
    if isinstance(value, str) and value in options:
        return value
    line = explain(name, got=value, expected=" or ".join(options), remedy=remedy)
    raise error(line + did_you_mean(str(value), options))


def check_bool(name: str, value: object, *, error: type[UserError] = ConfigError) -> bool:
    """`value` if it is True or False; 0 and 1 are refused."""
    if isinstance(value, bool):
        return value
    raise error(explain(name, got=value, expected="True or False"))


def check_keys(
    name: str, given: Iterable[object], known: Collection[str], *, error: type[UserError] = ConfigError
) -> None:
    """Raises `error` for the first key of `given` that is not `known`, with the closest one."""
    for key in given:
        if key not in known:
            line = f"{name}: unknown key {key!r}; expected {', '.join(known)}"
            raise error(line + did_you_mean(str(key), known))


def parse_settings(option: str, words: Sequence[str] | None) -> dict[str, Any] | None:
    """KEY=VALUE words of a command line as a dict, None as None; ConfigError for any other word or a repeated key.

    >>> parse_settings("--training", ["steps=400", 'decoder={"width": 16}'])
    {'steps': 400, 'decoder': {'width': 16}}
    """
    if words is None:
        return None
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in settings:
            raise ConfigError(explain(option, got=word, expected="KEY=VALUE such as steps=400, every key once"))
        settings[name] = parse_value(value)
    return settings


def parse_value(text: str) -> Any:
    """The JSON value or number that `text` spells, else `text` itself."""
    for read in (json.loads, float):  # JSON has no .001
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _range(minimum: float, maximum: float, above: bool) -> str:
    if maximum == math.inf:
        if minimum == -math.inf:
            return "a finite number"
        return f"a number above {minimum:g}" if above else f"a number of at least {minimum:g}"
    return f"a number above {minimum:g}, at most {maximum:g}" if above else f"a number from {minimum:g} to {maximum:g}"

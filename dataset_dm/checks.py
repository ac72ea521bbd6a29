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
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
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


def check_bool(name: str, value: object, *, remedy: str = "", error: type[UserError] = ConfigError) -> bool:
    """`value` if it is True or False; 0 and 1 are refused."""
    if isinstance(value, bool):
        return value
    raise error(explain(name, got=value, expected="True or False", remedy=remedy))


def check_mapping(
    name: str, value: object, *, expected: str, remedy: str = "", error: type[UserError] = ConfigError
) -> Mapping[str, Any]:
    """`value` if it is a dict that is not empty; `expected` describes one."""
    if isinstance(value, Mapping) and value:
        return value
    raise error(explain(name, got=value, expected=expected, remedy=remedy))


def check_names(
    name: str, value: object, *, expected: str, remedy: str = "", error: type[UserError] = ConfigError
) -> tuple[str, ...]:
    """The names of a list without spaces around them, at least one; `expected` describes such a list."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list and value and all(isinstance(one, str) and one.strip() for one in value):
        return tuple(one.strip() for one in value)
    raise error(explain(name, got=value, expected=expected, remedy=remedy))


def check_source(name: str, value: object, *, remedy: str = "", error: type[UserError] = ConfigError) -> str:
    """The name of labelled images, a folder by its full path: the same words must mean the same images elsewhere."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise error(explain(name, got=value, expected="'miniature', a folder or a Hub id", remedy=remedy))
    path = Path(value).expanduser()
    return str(path.resolve()) if str(value) != "miniature" and path.exists() else str(value)


def check_pair(
    name: str,
    value: object,
    maximum: tuple[int, int] | None = None,
    *,
    multiple: int = 1,
    expected: str,
    remedy: str = "",
    error: type[UserError] = ConfigError,
) -> tuple[int, int]:
    """Two whole numbers from 1 to `maximum`, multiples of `multiple`, of a pair or of a text such as "64x96"."""
    pair = value.lower().split("x") if isinstance(value, str) else value
    if isinstance(pair, Sequence) and len(pair) == 2 and all(str(side).strip().isdecimal() for side in pair):
        first, second = (int(side) for side in pair)
        within = maximum is None or (first <= maximum[0] and second <= maximum[1])
        if min(first, second) > 0 and within and first % multiple == second % multiple == 0:
            return first, second
    raise error(explain(name, got=value, expected=expected, remedy=remedy))


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

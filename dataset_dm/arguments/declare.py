"""How an argument is declared: one field of a frozen dataclass, a table, whose metadata hold all that follows from it.

    @dataclass(frozen=True, kw_only=True)
    class CountArguments:
        num_images: int | None = argument(help="rows of split train", check=partial(check_int, minimum=1), example=64)

From tables follow the configs of builders (`with_arguments`), the options of the command line (`cli.options`), the
checks (`checked`), the plan, its two fingerprints and the provenance of rows.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from dataset_dm.errors import ConfigError, did_you_mean

# What changes when the value of an argument does: the images (and so the labels), the labels alone, the rows that are
# put together of them; None: neither, such as counts and devices.
Part = Literal["images", "labels", "rows"]
# (name as the message spells it, value, remedy=) → the value in its proper type; raises ConfigError
Check = Callable[..., Any]
# (option, its text; a list of texts for a repeatable option) → the value; what cannot be read stays text for the check
Read = Callable[[str, Any], Any]

_METADATA = "argument"


class Spelling(Protocol):
    """Spells an argument as the caller writes it: "seed" or "--seed", with a value "seed=64" or "--seed 64"."""

    def __call__(self, name: str, *value: object) -> str: ...


def python(name: str, *value: object) -> str:
    """Spells an argument as Python does.

    >>> python("seed"), python("size", (64, 96))
    ('seed', 'size=(64, 96)')
    """
    return f"{name}={value[0]!r}" if value else name


def unchecked(name: str, value: Any, *, remedy: str = "") -> Any:
    """The value as it is: it is checked where it is resolved, by what it refers to."""
    return value


def as_text(option: str, text: Any) -> Any:
    """What the command line gives, as it is."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What is declared of an argument beside its name, its type and its default.

    Args:
        help: of the option.
        check: returns the value in its proper type or raises ConfigError; never called for None, the default, except
            for the keys of a dict.
        example: a value that is right, for the remedy of a message; None: no remedy.
        part: which part of a set the value decides, and so which fingerprint covers it.
        resolved: the plan holds other fields than this one, which `plan.resolve` makes of it; otherwise the plan has
            a field of this name with the checked value (a number, a text or a bool).
        column: type of the value in a row's provenance ("int32", …, or a feature as a plain dict); None: not kept.
        option: "--its-name" by default; "" for none.
        metavar: how the option's value is called in the help.
        read: text of the option → value.
        action: of argparse: "append" for a repeatable option, "store_true" or "store_false" for a flag.
        keys: the table of its keys where the argument is a dict; on the command line each key has its own option.
    """

    help: str = ""
    check: Check = unchecked
    example: object = None
    part: Part | None = None
    resolved: bool = False
    column: str | Mapping[str, Any] | None = None
    option: str | None = None
    metavar: str | None = None
    read: Read = as_text
    action: Literal["append", "store_true", "store_false"] | None = None
    keys: type | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One argument of a table: its name, its default and what is declared of it."""

    name: str
    default: Any
    argument: Argument

    @property
    def option(self) -> str:
        """Its option on the command line, "" for none."""
        option = self.argument.option
        return f"--{self.name.replace('_', '-')}" if option is None else option

    def checked(self, value: Any, spelling: Spelling = python, within: str = "") -> Any:
        """The value in its proper type, or ConfigError; `within` names the dict that this argument is a key of."""
        example, name = self.argument.example, f"{within}: {self.name}" if within else self.name
        if self.argument.keys is not None and isinstance(value, Mapping):
            return _checked_keys(self, value, spelling)
        remedy = "" if example is None else f"pass for example {spelling(name, example)}"
        return self.argument.check(spelling(name), value, remedy=remedy)


def argument(default: Any = None, *, declared: Argument | None = None, **more: Any) -> Any:
    """A field of a table; the keywords are those of `Argument`, or `declared` is one."""
    entry = declared if declared is not None else Argument(**more)
    return dataclasses.field(default=default, metadata={_METADATA: entry})


@functools.cache
def entries(table: type) -> Mapping[str, Entry]:
    """Name → argument, in the order of the table."""
    found = [(one, one.metadata.get(_METADATA)) for one in dataclasses.fields(table)]
    return {one.name: Entry(one.name, one.default, entry) for one, entry in found if entry is not None}


def checked(table: type, given: Mapping[str, Any], spelling: Spelling = python) -> dict[str, Any]:
    """Every argument of a table by its name, checked; what is not given, or None, has its default.

    Raises ConfigError for an argument that the table does not have, and whatever the checks raise.
    """
    known = entries(table)
    for name in given:
        if name not in known:
            line = f"unknown argument {name!r}; expected one of {', '.join(known)}"
            raise ConfigError(line + did_you_mean(str(name), known))
    return {
        name: entry.default if given.get(name) is None else entry.checked(given[name], spelling)
        for name, entry in known.items()
    }


def with_arguments(*names: str, of: Iterable[type], default: Any = ...) -> Callable[[type], type]:
    """Gives a class, before `dataclass` makes one of it, a field for each argument that it does not have itself.

    Args:
        names: the arguments; none means all.
        of: tables.
        default: of the fields; by default that of the table.
    """

    def add(kind: type) -> type:
        own = inspect.get_annotations(kind)
        for entry in (entry for table in of for entry in entries(table).values()):
            if entry.name not in own and (not names or entry.name in names):
                own[entry.name] = Any
                setattr(kind, entry.name, entry.default if default is ... else default)
        kind.__annotations__ = own
        return kind

    return add


def command_line(*tables: type) -> Spelling:
    """Spells the arguments of these tables as options; what has no option as Python does.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Table:
    ...     num_images: int = argument(64)
    >>> command_line(Table)("num_images", 5)
    '--num-images 5'
    """
    options: dict[str, Entry] = {}
    for entry in (entry for table in tables for entry in entries(table).values()):
        options[entry.name] = entry
        keys = entry.argument.keys
        options |= {} if keys is None else {f"{entry.name}: {key}": one for key, one in entries(keys).items()}

    def spelling(name: str, *value: object) -> str:
        entry = options.get(name)
        if entry is None or not entry.option:
            return python(name, *value)
        return f"{entry.option} {_written(value[0])}".rstrip() if value else entry.option

    return spelling


def _checked_keys(entry: Entry, given: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    known = entries(entry.argument.keys)  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            line = f"{entry.name}: unknown key {key!r}; expected {', '.join(known)}"
            raise ConfigError(line + did_you_mean(str(key), known))
    return {key: known[key].checked(value, spelling, within=entry.name) for key, value in given.items()}


def _written(value: object) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, (tuple, list)):
        return ("x" if isinstance(value, tuple) else ",").join(map(str, value))
    return str(value)

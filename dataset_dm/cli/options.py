"""Options of declared arguments: added to a parser, and read back as Python would give them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from dataset_dm.arguments.declare import Entry, entries


def add_options(parser: argparse._ActionsContainer, *tables: type) -> None:
    """Adds an option for every argument of the tables, once, and for every key of those that are dicts."""
    for entry in _with_options(tables):
        declared = entry.argument
        if declared.action in ("store_true", "store_false"):
            parser.add_argument(entry.option, action="store_true", help=declared.help)
        else:
            action = declared.action or "store"
            parser.add_argument(entry.option, action=action, metavar=declared.metavar, help=declared.help)


def asked(args: argparse.Namespace, *tables: type) -> dict[str, Any]:
    """Argument → value, None where its option was not given. Raises ConfigError for text that cannot be read."""
    return {entry.name: _value(args, entry) for table in tables for entry in entries(table).values()}


def _with_options(tables: tuple[type, ...]) -> Iterator[Entry]:
    known: dict[str, Entry] = {}
    for entry in (entry for table in tables for entry in entries(table).values()):
        keys = entry.argument.keys
        known |= {entry.name: entry} if keys is None else entries(keys)
    return (entry for entry in known.values() if entry.option)


def _value(args: argparse.Namespace, entry: Entry) -> Any:
    declared = entry.argument
    if declared.keys is not None:
        given = {key: _value(args, one) for key, one in entries(declared.keys).items()}
        return {key: value for key, value in given.items() if value is not None} or None
    text = getattr(args, entry.option.removeprefix("--").replace("-", "_")) if entry.option else None
    if declared.action in ("store_true", "store_false"):
        return declared.action == "store_true" if text else None
    return None if text is None else declared.read(entry.option, text)

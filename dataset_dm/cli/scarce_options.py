"""Options of the configs whose labeller knew little: `zero_shot` and `long_tail`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dataset_dm.errors import ConfigError, explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the decoder is trained of; each config refuses the options of the other."""
    group = parser.add_argument_group(
        "zero_shot and long_tail", "their decoder is trained when it is first needed, unless --annotator is given"
    )
    group.add_argument("--unseen", metavar="A,B", help="zero_shot: classes that are labelled by their words alone")
    group.add_argument("--imbalance", metavar="R", help="long_tail: labelled images of the head per one of the tail")
    group.add_argument(
        "--no-rebalance", action="store_true", help="long_tail: draw all classes equally often, not rare ones more"
    )
    group.add_argument("--labelled", metavar="DATA", help="labelled images: miniature (default), a folder or a Hub id")
    group.add_argument("--num-labelled", metavar="N", help="train on the first N of them (default: all)")
    group.add_argument(
        "--training", metavar="KEY=VALUE", action="append", help="a setting of the training such as steps=400"
    )


def asked(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of these configs; None where nothing was said."""
    unseen = None if args.unseen is None else [name.strip() for name in args.unseen.split(",") if name.strip()]
    return {
        "unseen": unseen,
        "imbalance": _plain(args.imbalance),
        "rebalance": False if args.no_rebalance else None,
        "labelled": args.labelled,
        "num_labelled": _plain(args.num_labelled),
        "training": settings_of("--training", args.training),
    }


def settings_of(option: str, given: list[str] | None) -> dict[str, Any] | None:
    """KEY=VALUE words as a dict, values read as JSON where they are; ConfigError for any other word."""
    if given is None:
        return None
    settings: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name in settings:
            expected = "KEY=VALUE such as steps=400, every key once"
            raise ConfigError(explain(option, got=text, expected=expected))
        settings[name] = _plain(value)
    return settings


def _plain(text: str | None) -> Any:
    """A number or a dict where the text is one in JSON, else the text: what it must be, the plan says."""
    if text is None:
        return None
    for read in (json.loads, float):  # JSON has no .001
        try:
            return read(text)
        except ValueError:
            continue
    return text

"""Options of the configs whose labeller knew little: `zero_shot` and `long_tail`."""

from __future__ import annotations

import argparse
from typing import Any

from dataset_dm.checks import parse_settings, parse_value


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
        "imbalance": None if args.imbalance is None else parse_value(args.imbalance),
        "rebalance": False if args.no_rebalance else None,
        "labelled": args.labelled,
        "num_labelled": None if args.num_labelled is None else parse_value(args.num_labelled),
        "training": parse_settings("--training", args.training),
    }

"""`dataset-dm generate NAME [CONFIG]`: generate images from text, label them, write a dataset folder."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.arguments.declare import Spelling, command_line
from dataset_dm.arguments.table import CountArguments, SetArguments
from dataset_dm.cli import engine_options, options
from dataset_dm.errors import ConfigError
from dataset_dm.rows.filters import RowArguments
from dataset_dm.training.scarce_arguments import TABLES

if TYPE_CHECKING:
    from dataset_dm.builders.generate import Request, Target

HINT = (
    ": finished shards are kept; run the same command again to go on (with --resume if its --out folder exists already)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to make, how, and where to."""
    parser.add_argument("name", metavar="NAME", help="voc_synth, coco_synth or nyu_synth")
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="the kind of labels, such as semantic, instance, keypoints, depth, all (default: the set's first)",
    )
    options.add_options(parser, CountArguments, SetArguments)
    engine_options.add_arguments(parser)
    options.add_options(parser, RowArguments)
    group = parser.add_argument_group(
        "zero_shot and long_tail", "their decoder is trained when it is first needed, unless --annotator is given"
    )
    options.add_options(group, *TABLES.values())
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write; without it only the store is filled")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with, or let grow, the set in --out")
    again.add_argument("--overwrite", action="store_true", help="replace the set in --out")


def run(args: argparse.Namespace) -> int:
    """Check the request, make missing shards, write the folder, print the summary."""
    asked = request(args)
    with engine_options.listening(args):
        make(args, asked)
    return 0


def request(args: argparse.Namespace) -> Request:
    """The checked request of the options; raises UserError for anything that cannot be made."""
    from dataset_dm.builders.generate import ARGUMENTS, resolve_request

    if args.out is None and (args.resume or args.overwrite):
        raise ConfigError("--resume and --overwrite are about --out; give --out DIR too")
    return resolve_request(args.name, args.config, options.asked(args, *ARGUMENTS), spelling())


def spelling(*further: type) -> Spelling:
    """Spells the arguments of a set as options."""
    from dataset_dm.builders.generate import ARGUMENTS

    return command_line(*ARGUMENTS, *further)


def make(args: argparse.Namespace, asked: Request) -> None:
    """Make the set and print its summary."""
    from dataset_dm.builders.generate import make_set
    from dataset_dm.cli.summary import summary

    print(summary(asked, make_set(asked, _target(args)), args.out))


def _target(args: argparse.Namespace) -> Target | None:
    from dataset_dm.builders.generate import Target

    command = shlex.join(["dataset-dm", *sys.argv[1:]])
    return None if args.out is None else Target(args.out, command, args.resume, args.overwrite)

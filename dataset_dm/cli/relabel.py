"""`dataset-dm relabel NAME [CONFIG]`: label the images of a set again, by a segmenter trained on its own labels."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dataset_dm.builders.relabel import RelabelArguments, check_folder, relabelled
from dataset_dm.cli import engine_options, generate, options

if TYPE_CHECKING:
    from dataset_dm.builders.generate import Request

HINT = ": finished shards and segmenters are kept; run the same command again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `generate` say which set; it is generated and labelled first unless it is stored."""
    generate.add_arguments(parser)
    how = parser.add_argument_group("relabelling", "no image is generated again, and the first labels are kept")
    options.add_options(how, RelabelArguments)


def run(args: argparse.Namespace) -> int:
    """Label, train, relabel; write the set with its last labels; print how to load both."""
    first = generate.request(args)
    if args.out is not None:
        check_folder(args.out, args.resume or args.overwrite)
    with engine_options.listening(args):
        last = relabelled(first, options.asked(args, RelabelArguments), generate.spelling(RelabelArguments))
        print(f"labels by {last.plan.annotator}")
        generate.make(args, last)
    print(_both(args, first, last))
    return 0


def _both(args: argparse.Namespace, first: Request, last: Request) -> str:
    """How to load the first labels and the last ones."""
    from dataset_dm.store.plans import stores

    words = [repr(first.full_name), *([repr(args.config)] if args.config else [])]
    lines = ["the images are the same, the first labels are kept:"]
    for title, request in (("first", first), ("last", last)):
        call = ", ".join([*words, "…", f"annotator={request.plan.annotator_reference!r}"])
        lines += [f"  {title:<6} load_dataset({call})", f"         {stores(request.plan)[1].folder}"]
    return "\n".join(lines)

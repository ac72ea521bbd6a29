"""`dataset-dm relabel NAME [CONFIG]`: label stored images again, by a segmenter trained on their labels."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from dataset_dm.checks import check_int, parse_settings
from dataset_dm.cli import engine_options, generate
from dataset_dm.engine.progress import bar
from dataset_dm.errors import ConfigError, StoreError, explain

if TYPE_CHECKING:
    from dataset_dm.plan.generation_plan import GenerationPlan
    from dataset_dm.training.segmenter import SegmenterConfig

HINT = ": finished shards and segmenters are kept; run the same command again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of `generate` select the set, which is made first if it is not stored."""
    generate.add_arguments(parser)
    how = parser.add_argument_group("relabelling", "nothing is drawn again, and the first labels are kept")
    how.add_argument(
        "--rounds", metavar="N", type=int, help="train a segmenter on the labels and relabel, N times (default 1)"
    )
    how.add_argument("--with", dest="other", metavar="ANNOTATOR", help="relabel by this one instead, train nothing")
    how.add_argument(
        "--segmenter", metavar="KEY=VALUE", action="append", help="a setting of its training such as steps=3000"
    )


def run(args: argparse.Namespace) -> int:
    """Labels, trains, relabels; writes the set with its last labels; says how to load both."""
    first = generate.request(args)
    if args.out is not None:
        _check_folder(args)
    with engine_options.listening(args):
        plan = _relabelled(args, first)
        print(f"labels by {plan.annotator}")
        generate.produce(args, replace(first, plan=plan))
    print(_both(args, first.plan, plan))
    return 0


def _relabelled(args: argparse.Namespace, first: generate.Request) -> GenerationPlan:
    """The plan of the last labels: by another annotator, or by one that is trained now."""
    if args.other is None:
        _check_tasks(first.plan)
        return _self_train(args, first)
    if args.rounds is not None or args.segmenter is not None:
        raise ConfigError("--rounds and --segmenter are about training one; leave them out, or --with")
    plan = _with_annotator(first.plan, args.other)
    _check_drawn(first.plan, first.counts)
    return plan


def _self_train(args: argparse.Namespace, first: generate.Request) -> GenerationPlan:
    """The plan whose annotator is the segmenter of the last round; labels of all rounds before are in the store."""
    from dataset_dm.training.self_training import ensure_segmenter

    rounds, config = check_int("--rounds", 1 if args.rounds is None else args.rounds, 1), _config(args)
    split = "train" if "train" in first.counts else next(iter(first.counts))
    plan = first.plan
    for number in range(1, rounds + 1):
        engine_options.fill(plan, first.counts, args)
        with bar(config.steps, "step", f"round {number} of {rounds}: training a segmenter") as shown:
            folder = ensure_segmenter(
                plan, split, first.counts[split], config,
                teacher=first.plan, filters=first.bounds, device=args.device, report=shown.update,
            )  # fmt: skip
        plan = _with_annotator(first.plan, str(folder))
    return plan


def _with_annotator(plan: GenerationPlan, annotator: str) -> GenerationPlan:
    """The plan of the same images and classes with another annotator."""
    from dataset_dm.models.annotators import check_tasks, find_annotator
    from dataset_dm.models.generators import find_generator

    found = find_annotator(annotator, find_generator(plan.generator_reference))
    check_tasks(plan.tasks, found, plan.classes)
    if found.hash == plan.annotator_hash:
        raise ConfigError(explain("--with", got=annotator, expected="another annotator than the first"))
    return replace(plan, annotator=found.name, annotator_revision=found.revision, annotator_hash=found.hash)


def _config(args: argparse.Namespace) -> SegmenterConfig:
    from dataset_dm.training.segmenter import SegmenterConfig

    return SegmenterConfig.from_dict(parse_settings("--segmenter", args.segmenter) or {})


def _check_tasks(plan: GenerationPlan) -> None:
    from dataset_dm.labels.tasks import SEMANTIC

    if plan.tasks != (SEMANTIC.name,):
        remedy = "take a config with class maps alone, or give another annotator --with"
        raise ConfigError(explain("a segmenter reads class maps", got=list(plan.tasks), remedy=remedy))


def _check_drawn(plan: GenerationPlan, counts: dict[str, int]) -> None:
    """StoreError when images are missing: with another annotator no image is drawn."""
    from dataset_dm.engine import pending

    missing = sum(work.draw for work in pending(plan, counts))
    if missing:
        remedy = "make them first: dataset-dm generate with the same arguments"
        raise StoreError(explain(f"relabel: {missing} shards of images are not in the store", remedy=remedy))


def _check_folder(args: argparse.Namespace) -> None:
    """Before minutes of work, not after: StoreError when --out may not be written."""
    from dataset_dm.store.output_folder import OutFolder

    with OutFolder(args.out, {}, overwrite=args.resume or args.overwrite):
        pass


def _both(args: argparse.Namespace, first: GenerationPlan, last: GenerationPlan) -> str:
    """How to load the first labels and the last ones."""
    from dataset_dm.store.plans import stores

    name = args.name.removeprefix("dataset_dm/")
    words = [repr(f"dataset_dm/{name}"), *([repr(args.config)] if args.config else [])]
    lines = ["the images are the same, the first labels are kept:"]
    for title, plan in (("first", first), ("last", last)):
        call = ", ".join([*words, "…", f"annotator={plan.annotator_reference!r}"])
        lines += [f"  {title:<6} load_dataset({call})", f"         {stores(plan)[1].folder}"]
    return "\n".join(lines)

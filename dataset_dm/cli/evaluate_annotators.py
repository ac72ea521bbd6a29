"""Measurements of `dataset-dm evaluate` that compare labellers: self-training and agreement."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.cli.number_types import count, seed
from dataset_dm.cli.scarce_options import settings_of
from dataset_dm.errors import ConfigError, explain

if TYPE_CHECKING:
    from dataset_dm.evaluation.outcome import Outcome

WHAT = {
    "self-training": "labels of generated images before and after training a segmenter on them",
    "agreement": "whether labellers that agree are right more often than those that are sure",
}


def add_arguments(kinds: Any) -> None:
    """The measurements as sub-commands of `kinds` (of `ArgumentParser.add_subparsers`)."""
    for name, text in WHAT.items():
        kind = kinds.add_parser(name, help=text, description=text.capitalize() + ".")
        kind.add_argument("--num", type=count, default=500, help="generated images to measure on (default 500)")
        kind.add_argument("--generator", default="miniature", help="path or Hub id, with an optional @revision")
        kind.add_argument("--judge", type=Path, help="folder of the judge (default: the shipped one)")
        kind.add_argument("--append-classes", action="store_true", help="prompts end with the words of their classes")
        kind.add_argument("--seed", type=seed, default=0)
        kind.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 …")
        kind.add_argument("--out", type=Path, help="folder for report.json and report.md")
    trained = kinds.choices["self-training"]
    trained.add_argument("--annotator", default="attention", help="who labels first (default attention)")
    trained.add_argument("--train-on", type=count, metavar="N", help="images to train on (default: those of --num)")
    trained.add_argument("--rounds", type=count, default=1, help="of training and relabelling (default 1)")
    trained.add_argument("--segmenter", metavar="KEY=VALUE", action="append", help="a setting such as steps=3000")
    both = "two or more joined by ' + ' (default 'p_decoder + attention')"
    kinds.choices["agreement"].add_argument("--annotator", default="p_decoder + attention", help=both)


def self_training(args: argparse.Namespace) -> Outcome:
    """Trains and relabels; figures of every round."""
    from dataset_dm.evaluation.self_training import measure_self_training
    from dataset_dm.training.segmenter import SegmenterConfig

    config = SegmenterConfig.from_dict(settings_of("--segmenter", args.segmenter) or {})
    return measure_self_training(
        _plan(args), _judge(args), args.num, args.rounds, config, args.device, train_on=args.train_on
    )


def agreement(args: argparse.Namespace) -> Outcome:
    """Two labellers or more on the same images."""
    from dataset_dm import annotators
    from dataset_dm.annotators.combined import CombinedAnnotator
    from dataset_dm.diffusion import Backbone
    from dataset_dm.evaluation.agreement import measure_agreement
    from dataset_dm.evaluation.sources import stored
    from dataset_dm.models.annotators import names_of

    plan = _plan(args)
    annotator = annotators.load(plan.annotator_reference, device=args.device)
    if not isinstance(annotator, CombinedAnnotator):
        raise ConfigError(explain("--annotator", got=args.annotator, expected="two or more joined by ' + '"))
    backbone = Backbone.load(plan.generator_reference, device=args.device)
    # the labels that the store holds are not looked at: those of one labeller will do
    args.annotator = names_of(plan.annotator)[0]
    pictures = stored(_plan(args), args.num, device=args.device)
    return measure_agreement(backbone, annotator, _judge(args), pictures, args.num)


MEASURE = {"self-training": self_training, "agreement": agreement}


def _plan(args: argparse.Namespace) -> Any:
    from dataset_dm.labels.tasks import SEMANTIC
    from dataset_dm.labels.vocabulary import VOC_CLASSES
    from dataset_dm.plan.resolve import resolve

    asked = {name: getattr(args, name) for name in ("generator", "annotator", "seed", "append_classes")}
    return resolve(SEMANTIC, classes=VOC_CLASSES, **asked)


def _judge(args: argparse.Namespace) -> Any:
    from dataset_dm.miniature.judge import Judge

    return Judge.load(args.judge, device=args.device)

"""Command-line options of measurements, and what they open.

torch is imported when a model is opened, so that an option is refused within a second.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import did_you_mean
from dataset_dm.labels.vocabulary import VOC_CLASSES

if TYPE_CHECKING:
    from dataset_dm.annotators.base import Annotator
    from dataset_dm.diffusion import Backbone
    from dataset_dm.miniature.judge import Judge
    from dataset_dm.plan.generation_plan import GenerationPlan


def count(text: str) -> int:
    """An option's text as a whole number of at least 1; argparse prints the error after the option's name."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """An option's text as a whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, minimum: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = minimum - 1
    if value < minimum:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least {minimum}")
    return value


def class_positions(text: str) -> tuple[int, ...]:
    """Positions in VOC's class list of comma-separated names; argparse prints the error after the option's name."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in VOC_CLASSES:
            near = did_you_mean(name, VOC_CLASSES)
            raise argparse.ArgumentTypeError(f"got {name!r}, expected names of VOC's 20 classes{near}")
    if not 0 < len(names) < len(VOC_CLASSES):
        raise argparse.ArgumentTypeError(f"got {len(names)} classes, expected 1..{len(VOC_CLASSES) - 1}")
    return tuple(sorted(VOC_CLASSES.index(name) for name in names))


SHARED: dict[str, dict[str, Any]] = {
    "num": {"type": count, "default": 500, "help": "images to measure on (default 500)"},
    "batch": {"type": count, "default": 16, "help": "images a batch (default 16)"},
    "generator": {"default": "miniature", "help": "path or Hub id, with an optional @revision"},
    "annotator": {"default": "miniature", "help": "decoder folder or Hub id"},
    "judge": {"type": Path, "help": "folder of the judge (default: the shipped one)"},
    "append-classes": {"action": "store_true", "help": "prompts end with the words of their classes"},
    "seed": {"type": seed, "default": 0, "help": "of the plan and its images (default 0)"},
    "device": {"default": "auto", "help": "auto, cpu, cuda, cuda:1 …"},
    "out": {"type": Path, "help": "folder for report.json, report.md, plots and sheets of images"},
}


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add these of the `SHARED` options."""
    for name in names:
        parser.add_argument(f"--{name}", **SHARED[name])


def open_backbone(args: argparse.Namespace) -> Backbone:
    """The generator as `generate` opens it, so that a plan's session finds it loaded."""
    from dataset_dm.diffusion import Backbone

    return Backbone.load(args.generator, device=args.device)


def open_annotator(args: argparse.Namespace) -> Annotator:
    """The annotator; it is not yet compared with the generator."""
    from dataset_dm import annotators

    return annotators.load(args.annotator, device=args.device)


def open_pair(args: argparse.Namespace) -> tuple[Backbone, Annotator]:
    """Generator and annotator; AnnotatorMismatch if the annotator was trained for another generator."""
    annotator, backbone = open_annotator(args), open_backbone(args)
    annotator.check_generator(backbone.fingerprint, args.generator)
    return backbone, annotator


def open_judge(args: argparse.Namespace) -> Judge:
    """The network whose class maps stand for the truth of generated images."""
    from dataset_dm.miniature.judge import Judge

    return Judge.load(args.judge, device=args.device)


def plan_of(args: argparse.Namespace, tasks: Sequence[str] = ("semantic",), **more: Any) -> GenerationPlan:
    """The plan of the images that are measured; `more` are arguments of `resolve`."""
    from dataset_dm.labels.tasks import task
    from dataset_dm.plan.resolve import resolve

    asked = {"generator": args.generator, "annotator": args.annotator, "seed": args.seed, **more}
    return resolve([task(name) for name in tasks], **asked)

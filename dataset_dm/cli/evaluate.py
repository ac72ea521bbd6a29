"""`dataset-dm evaluate MEASUREMENT` (labels, found, speed …; see WHAT): figures, tables, plots, worst pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.cli import evaluate_annotators
from dataset_dm.cli.number_types import count, seed
from dataset_dm.errors import ConfigError, StoreError, did_you_mean, explain

if TYPE_CHECKING:
    from dataset_dm.annotators.base import Pictures
    from dataset_dm.evaluation.outcome import Outcome

NAME = "evaluate"
HELP = "measure labels, images and speed"
WHAT = {
    "labels": "labels of every task on held-out renders (blind, informed), class maps on generated images",
    "found": "how often the requested classes are in the generated images",
    "autoencoder": "what the generator's autoencoder loses",
    "baseline": "a network of like size trained from scratch for every task, for comparison",
    "ablation": "decoders that lack one thing each: what every part of the labeller is worth (an hour or more)",
    "attention": "labels without training on generated images: class maps, presence of absent classes, ablation",
    "reading": "labels from a pass of their own against labels from the sampler's last step",
    "speed": "generate + label + write over the plain diffusers pipeline, or all tasks over class maps alone",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The measurements as sub-commands."""
    kinds = parser.add_subparsers(dest="measurement", required=True, metavar="MEASUREMENT")
    for name, text in WHAT.items():
        kind = kinds.add_parser(name, help=text, description=text.capitalize() + ".")
        if name != "speed":
            pictures = 200 if name == "ablation" else 500
            kind.add_argument(
                "--num", type=count, default=pictures, help=f"pictures to measure on (default {pictures})"
            )
        if name in ("labels", "found", "autoencoder", "reading"):
            kind.add_argument("--batch", type=count, default=16, help="pictures a pass (default 16)")
        if name != "baseline":
            kind.add_argument("--generator", default="miniature", help="path or Hub id, with an optional @revision")
        if name in ("labels", "baseline", "reading", "speed"):
            kind.add_argument("--annotator", default="miniature", help="decoder folder or Hub id")
        if name in ("labels", "found", "autoencoder", "attention", "reading"):
            kind.add_argument("--judge", type=Path, help="folder of the judge (default: the shipped one)")
        kind.add_argument("--seed", type=seed, default=0)
        kind.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 …")
        kind.add_argument("--out", type=Path, help="folder for report.json, report.md, plots and pictures")
    evaluate_annotators.add_arguments(kinds)
    names = kinds.choices
    names["labels"].add_argument("--on", choices=("both", "renders", "generated"), default="both")
    unseen = "classes that the decoder was not trained on: adds seen, unseen, harmonic mIoU"
    names["labels"].add_argument("--unseen", type=_classes, default=(), metavar="A,B,C", help=unseen)
    tail = "classes with few labelled images: adds head and tail mIoU"
    names["labels"].add_argument("--tail", type=_classes, default=(), metavar="A,B,C", help=tail)
    names["baseline"].add_argument("--images", type=count, default=100, help="labelled renders to train on")
    names["baseline"].add_argument("--steps", type=count, default=1500)
    names["ablation"].add_argument("--steps", type=count, default=400, help="of each training (default 400)")
    names["ablation"].add_argument("--variants", type=count, default=8, help="of each labelled image (default 8)")
    names["ablation"].add_argument(
        "--repeat", type=count, default=1, help="trainings a setting, seeds 0, 1 … (default 1)"
    )
    for name in ("ablation", "attention"):
        names[name].add_argument("--only", action="append", metavar="NAME", help="this setting (again for more)")
    usual = 'attention, or attention:{"power":4} with settings'
    names["attention"].add_argument("--annotator", default="attention", help=usual)
    names["attention"].add_argument("--ablation", action="store_true", help="what each part is worth instead")
    seeds = "sets of images for the ablation, seeds 0, 1 … from --seed on (default 1)"
    names["attention"].add_argument("--repeat", type=count, help=seeds)
    features = "where features are kept between runs (default: a temporary folder)"
    names["ablation"].add_argument("--features", type=Path, metavar="DIR", help=features)
    names["speed"].add_argument("--tasks", action="store_true", help="all tasks over class maps alone instead")
    names["speed"].add_argument("--rounds", type=count, default=4, help="shards drawn each way (default 4)")
    names["speed"].add_argument("--steps", type=count, help="sampling steps (default: the generator's own)")
    names["speed"].add_argument("--batch-size", type=count, help="images a batch (default: the plan's own)")


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the report; 0 when done."""
    if args.out is not None:
        _check_folder(args.out)  # before minutes of work, not after
    outcome: Outcome = _MEASURE[args.measurement](args)
    report = outcome.report
    report.command = shlex.join(["dataset-dm", *sys.argv[1:]])
    from dataset_dm.evaluation.outcome import settings

    asked = {k: v for k, v in vars(args).items() if isinstance(v, (str, int, float)) and k != "verb"}
    report.settings = settings(**asked)
    print(report.text())
    if args.out is not None:
        outcome.save(args.out)
        print(f"\nreport: {args.out / 'report.md'}")
    return 0


def _labels(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.labels import measure_labels
    from dataset_dm.labels.vocabulary import VOC_CLASSES
    from dataset_dm.metrics.groups import Split

    annotator = _annotator(args)
    backbone = _backbone(args)
    annotator.check_generator(backbone.fingerprint, args.generator)
    return measure_labels(
        backbone,
        annotator,
        None if args.on == "renders" else _judge(args),
        count=args.num,
        batch=args.batch,
        on_renders=args.on != "generated",
        plan=None if args.on == "renders" else _plan(args, classes=VOC_CLASSES),
        split=Split(tuple(args.unseen), tuple(args.tail)),
        device=args.device,
    )


def _found(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.images import measure_found

    return measure_found(_backbone(args), _judge(args), args.num, args.batch, args.seed)


def _autoencoder(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.images import measure_autoencoder

    return measure_autoencoder(_backbone(args), _judge(args), args.num, args.batch)


def _baseline(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.baseline.net import count_parameters
    from dataset_dm.evaluation.baseline.train import BaselineConfig
    from dataset_dm.evaluation.baseline_report import measure_baseline

    size = count_parameters(_annotator(args).decoder)
    config = BaselineConfig(images=args.images, steps=args.steps, seed=args.seed, parameters=size)
    return measure_baseline(config, args.num, _device(args))


def _speed(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.speed import measure_speed, measure_task_cost

    more = {"sampler": None if args.steps is None else {"steps": args.steps}, "batch_size": args.batch_size}
    if not args.tasks:
        return measure_speed(_plan(args, **more), args.rounds, args.device)
    many = _plan(args, _annotator(args).tasks, **more)
    return measure_task_cost(_plan(args, **more), many, args.rounds, args.device)


def _ablation(args: argparse.Namespace) -> Outcome:
    import tempfile

    from dataset_dm.evaluation.ablation import SETTINGS, Ablation, measure_ablation
    from dataset_dm.training.config import TrainConfig
    from dataset_dm.training.features import VariantConfig

    chosen = _only(args, SETTINGS)
    train = TrainConfig(steps=args.steps, evaluate_every=min(100, args.steps), seed=args.seed,
                        variants=VariantConfig(count=args.variants, seed=args.seed))  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ablation-") as scratch:
        ablation = Ablation(
            backbone=_backbone(args),
            folder=args.features or Path(scratch),
            train=train,
            test=args.num,
            seeds=range(args.seed, args.seed + args.repeat),
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
        return measure_ablation(ablation, chosen)


def _attention(args: argparse.Namespace) -> Outcome:
    from dataset_dm.annotators.attention import AttentionAnnotator
    from dataset_dm.diffusion import SamplerConfig
    from dataset_dm.evaluation.attention import variants
    from dataset_dm.evaluation.attention_report import measure_attention, measure_attention_ablation
    from dataset_dm.evaluation.sources import stored
    from dataset_dm.labels.vocabulary import VOC_CLASSES

    for name in ("only", "repeat"):
        if getattr(args, name) and not args.ablation:
            raise ConfigError(explain(f"--{name}", expected="--ablation beside it"))
    annotator, chosen = AttentionAnnotator.load(args.annotator), _only(args, variants())
    backbone, judge = _backbone(args), _judge(args)

    def pictures(seed: int, appended: bool = False) -> Callable[[], Iterable[Pictures]]:
        plan = _plan(args, classes=VOC_CLASSES, append_classes=appended, seed=seed)
        return lambda: stored(plan, args.num, device=args.device)

    if not args.ablation:
        return measure_attention(backbone, judge, pictures(args.seed), args.num, annotator)
    plan = _plan(args, classes=VOC_CLASSES)
    sampler = SamplerConfig(steps=plan.steps, guidance=plan.guidance, scheduler=plan.scheduler)
    seeds = range(args.seed, args.seed + (args.repeat or 1))
    plain, appended = [pictures(seed) for seed in seeds], [pictures(seed, True) for seed in seeds]
    return measure_attention_ablation(backbone, judge, plain, appended, args.num, sampler, chosen)


def _reading(args: argparse.Namespace) -> Outcome:
    from dataset_dm.evaluation.reading import measure_reading

    annotator, backbone = _annotator(args), _backbone(args)
    annotator.check_generator(backbone.fingerprint, args.generator)
    return measure_reading(backbone, annotator, _judge(args), count=args.num, batch=args.batch, seed=args.seed)


_MEASURE = {
    "labels": _labels,
    "found": _found,
    "autoencoder": _autoencoder,
    "baseline": _baseline,
    "ablation": _ablation,
    "attention": _attention,
    "reading": _reading,
    "speed": _speed,
    **evaluate_annotators.MEASURE,
}


def _plan(args: argparse.Namespace, tasks: Sequence[str] = ("semantic",), **more: Any) -> Any:
    from dataset_dm.labels.tasks import task
    from dataset_dm.plan.resolve import resolve

    asked = {"generator": args.generator, "annotator": args.annotator, "seed": args.seed, **more}
    return resolve([task(name) for name in tasks], **asked)


def _only(args: argparse.Namespace, settings: Sequence[Any]) -> list[Any]:
    """The settings that `--only` names, or all; ConfigError for a name that none has."""
    known = {setting.name: setting for setting in settings}
    for name in args.only or ():
        if name not in known:
            expected = f"one of {' | '.join(known)}"
            raise ConfigError(explain("--only", got=name, expected=expected) + did_you_mean(name, known))
    return [known[name] for name in args.only or known]


def _backbone(args: argparse.Namespace) -> Any:
    """The generator as `generate` opens it, so that a plan's session finds it loaded."""
    from dataset_dm.diffusion import Backbone

    return Backbone.load(args.generator, device=args.device)


def _annotator(args: argparse.Namespace) -> Any:
    from dataset_dm import annotators

    return annotators.load(args.annotator, device=args.device)


def _judge(args: argparse.Namespace) -> Any:
    from dataset_dm.miniature.judge import Judge

    return Judge.load(args.judge, device=args.device)


def _device(args: argparse.Namespace) -> str:
    from dataset_dm.models.device import resolve_device

    return str(resolve_device(args.device))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(explain(f"--out {folder}: cannot be made ({error.strerror})")) from error


def _classes(text: str) -> tuple[int, ...]:
    """Positions in VOC's class list of names between commas."""
    from dataset_dm.labels.vocabulary import VOC_CLASSES

    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in VOC_CLASSES:
            said = did_you_mean(name, VOC_CLASSES)
            raise argparse.ArgumentTypeError(f"got {name!r}, expected names of VOC's 20 classes{said}")
    if not 0 < len(names) < len(VOC_CLASSES):
        raise argparse.ArgumentTypeError(f"got {len(names)} classes, expected 1..{len(VOC_CLASSES) - 1}")
    return tuple(sorted(VOC_CLASSES.index(name) for name in names))

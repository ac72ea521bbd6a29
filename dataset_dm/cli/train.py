"""`dataset-dm train`: train a decoder on labelled images and a frozen generator."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from dataset_dm.errors import ConfigError, explain

HINT = ": the last checkpoint is kept; run the same command again with --resume to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, generator, and the settings people change."""
    parser.add_argument("--task", default="semantic", help="what to label (default semantic)")
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="miniature, a VOC folder, a dataset folder or a Hub id"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the decoder")
    parser.add_argument("--generator", default="miniature", metavar="ID", help="folder or Hub id[@revision]")
    parser.add_argument("--num-labelled", metavar="N", help="use the first N labelled images (default: all)")
    parser.add_argument("--split", help="split to train on (default train)")
    parser.add_argument("--validation", metavar="PATH", help="held-out data (default: a part of --data)")
    parser.add_argument("--validation-split", metavar="NAME", help="split of the held-out data")
    parser.add_argument("--num-validation", metavar="N", default="50", help="held-out images at most (default 50)")
    parser.add_argument("--classes", metavar="A,B", help="class names in the order of the ids, without background")
    parser.add_argument("--steps", metavar="N", help="training steps")
    parser.add_argument("--batch", metavar="N", help="images a step")
    parser.add_argument("--learning-rate", metavar="R", help="highest learning rate")
    parser.add_argument("--patience", metavar="N", help="stop after so many evaluations without a better mIoU; 0 never")
    parser.add_argument("--evaluate-every", metavar="N", help="steps between evaluations")
    parser.add_argument("--variants", metavar="N", help="changed versions of every image (1: as it is)")
    parser.add_argument("--timestep", metavar="T", help="noise level at which the generator is read")
    parser.add_argument("--seed", default="0", metavar="S")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda …")
    parser.add_argument("--dtype", default="float32", help="of the generator: float32 (default), float16, bfloat16")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with the training in --out")
    again.add_argument("--overwrite", action="store_true", help="throw away what is in --out")


def run(args: argparse.Namespace) -> int:
    """Trains, prints the held-out figures."""
    wholes = ("num_labelled", "num_validation", "steps", "batch", "patience", "evaluate_every", "variants", "seed")
    settings = {name: _whole(name, getattr(args, name), 0 if name in ("patience", "seed") else 1) for name in wholes}
    if args.timestep is not None:
        settings["timestep"] = _whole("timestep", args.timestep, 0)
    classes = None if args.classes is None else [name.strip() for name in args.classes.split(",") if name.strip()]
    rate = None if args.learning_rate is None else _number("learning_rate", args.learning_rate)
    from dataset_dm.training import train_decoder

    result = train_decoder(
        data=args.data,
        out=args.out,
        generator=args.generator,
        task=args.task,
        split=args.split,
        validation=args.validation,
        validation_split=args.validation_split,
        classes=classes,
        learning_rate=rate,
        device=args.device,
        dtype=args.dtype,
        resume=args.resume,
        overwrite=args.overwrite,
        command=shlex.join(["dataset-dm", *sys.argv[1:]]),
        **settings,
    )
    for text, figures in result.figures.items():
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float))
        print(f"{text:<10} {shown}")
    print(f"decoder    {result.folder} ({result.steps} steps)")
    return 0


def _whole(name: str, text: str | None, least: int) -> int | None:
    from dataset_dm.request import whole

    if text is None:
        return None
    option = f"--{name.replace('_', '-')}"
    try:
        return whole(option, int(text), least)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(explain(option, got=text, expected=f"a whole number of at least {least}")) from None


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(explain(f"--{name.replace('_', '-')}", got=text, expected="a number")) from None

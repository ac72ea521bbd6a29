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
    parser.add_argument(
        "--task", metavar="A,B", help="what to label: semantic, instance, depth, pose (default: all that --data has)"
    )
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="miniature, a folder in a known layout, or a Hub id"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the decoder")
    parser.add_argument("--generator", default="miniature", metavar="ID", help="folder or Hub id[@revision]")
    parser.add_argument("--num-labelled", metavar="N", help="use the first N labelled images (default: all)")
    parser.add_argument("--split", help="split to train on (default train)")
    parser.add_argument("--validation", metavar="PATH", help="held-out data (default: a part of --data)")
    parser.add_argument("--validation-split", metavar="NAME", help="split of the held-out data")
    parser.add_argument("--num-validation", metavar="N", default="50", help="held-out images at most (default 50)")
    parser.add_argument("--classes", metavar="A,B", help="class names in the order of the ids, without background")
    parser.add_argument("--format", metavar="NAME", help="layout of --data (default: found out)")
    parser.add_argument("--on-error", default="raise", metavar="WHAT", help="damaged samples: raise (default) or skip")
    parser.add_argument("--depth-scale", metavar="M", help="metres of one unit of the depth files")
    parser.add_argument("--seen", metavar="A,B", help="train on these classes alone; others may be asked for by words")
    parser.add_argument("--long-tail", metavar="R", help="labelled images of the commonest class over the rarest")
    parser.add_argument("--steps", metavar="N", help="training steps")
    parser.add_argument("--batch", metavar="N", help="images a step")
    parser.add_argument("--learning-rate", metavar="R", help="highest learning rate")
    parser.add_argument("--patience", metavar="N", help="stop after so many evaluations without gain; 0 never")
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
    lists = {name: _names(getattr(args, name)) for name in ("classes", "seen")}
    numbers = {name: _number(name, getattr(args, name)) for name in ("learning_rate", "depth_scale", "long_tail")}
    from dataset_dm.training import train_decoder

    result = train_decoder(
        data=args.data,
        out=args.out,
        generator=args.generator,
        tasks=_names(args.task),
        split=args.split,
        validation=args.validation,
        validation_split=args.validation_split,
        format=args.format,
        on_error=args.on_error,
        device=args.device,
        dtype=args.dtype,
        resume=args.resume,
        overwrite=args.overwrite,
        command=shlex.join(["dataset-dm", *sys.argv[1:]]),
        **lists,
        **numbers,
        **settings,
    )
    for text, figures in result.figures.items():
        shown = ", ".join(
            f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float) and value == value
        )
        print(f"{text:<10} {shown}")
    print(f"decoder    {result.folder} ({result.steps} steps)")
    return 0


def _whole(name: str, text: str | None, least: int) -> int | None:
    from dataset_dm.plan.resolve import whole

    if text is None:
        return None
    option = f"--{name.replace('_', '-')}"
    try:
        return whole(option, int(text), least)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(explain(option, got=text, expected=f"a whole number of at least {least}")) from None


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _number(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(explain(f"--{name.replace('_', '-')}", got=text, expected="a number")) from None

"""The measurements by name: their options, and one call that runs any of them.

A measurement is an entry of `MEASUREMENTS` and a module of this room with `run(args) -> Outcome`. The module imports
torch, so it is imported after its options were accepted.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dataset_dm.checks import check_choice
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.evaluation.options import add_options, class_positions, count

if TYPE_CHECKING:
    from dataset_dm.metrics.report import Report


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A line of `dataset-dm evaluate --help` and the options of one measurement.

    Args:
        text: what is measured.
        shared: options of `SHARED`, by name.
        own: further options: name → keywords of `add_argument`.
    """

    text: str
    shared: tuple[str, ...]
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_ON_IMAGES = ("num", "generator", "judge", "seed", "device", "out")
_BATCHED = (*_ON_IMAGES, "batch")

MEASUREMENTS = {
    "labels": Measurement(
        text="labels of every task on held-out renders (unprompted, prompted), class maps on generated images",
        shared=(*_BATCHED, "annotator"),
        own={
            "on": {"choices": ("both", "renders", "generated"), "default": "both", "help": "which images"},
            "unseen": {
                "type": class_positions,
                "default": (),
                "metavar": "A,B,C",
                "help": "classes that the decoder was not trained on: adds seen, unseen, harmonic mIoU",
            },
            "tail": {
                "type": class_positions,
                "default": (),
                "metavar": "A,B,C",
                "help": "classes with few labelled images: adds head and tail mIoU",
            },
        },
    ),
    "found": Measurement(text="how often the requested classes are in the generated images", shared=_BATCHED),
    "autoencoder": Measurement(text="what the generator's autoencoder loses", shared=_BATCHED),
    "attention": Measurement(
        text="labels without training on generated images: class maps, presence of absent classes",
        shared=_ON_IMAGES,
        own={"annotator": {"default": "attention", "help": 'attention, or attention:{"power":4} with settings'}},
    ),
    "speed": Measurement(
        text="generate + label + write over the plain diffusers pipeline, or all tasks over class maps alone",
        shared=("generator", "annotator", "seed", "device", "out"),
        own={
            "tasks": {"action": "store_true", "help": "all tasks over class maps alone instead"},
            "rounds": {"type": count, "default": 4, "help": "shards generated each way (default 4)"},
            "steps": {"type": count, "help": "sampling steps (default: the generator's own)"},
            "batch-size": {"type": count, "help": "images a batch (default: the plan's own)"},
        },
    ),
    "self-training": Measurement(
        text="labels of generated images before and after training a segmenter on them",
        shared=(*_ON_IMAGES, "append-classes"),
        own={
            "annotator": {"default": "attention", "help": "of the first labels (default attention)"},
            "train-on": {"type": count, "metavar": "N", "help": "images to train on (default: those of --num)"},
            "rounds": {"type": count, "default": 1, "help": "of training and relabelling (default 1)"},
            "segmenter": {"metavar": "KEY=VALUE", "action": "append", "help": "a setting such as steps=3000"},
        },
    ),
    "agreement": Measurement(
        text="whether annotators that agree are right more often than those that are confident",
        shared=(*_ON_IMAGES, "append-classes"),
        own={
            "annotator": {
                "default": "p_decoder + attention",
                "help": "two or more joined by ' + ' (default 'p_decoder + attention')",
            }
        },
    ),
}
# Comparisons for research, run from a checkout: what a user may type → the module in tests/benchmarks.
MOVED = {
    "baseline": "baseline",
    "ablation": "ablation",
    "reading": "parity_pass",
    "attention --ablation": "attention_ablation",
}


def evaluate(measurement: str = "labels", *, out: str | Path | None = None, **options: Any) -> Report:
    """Measure labels, images or speed.

    Args:
        measurement: labels, found, autoencoder, attention, speed, self-training or agreement.
        out: folder for report.json, report.md, plots and sheets of images.
        options: those of `dataset-dm evaluate MEASUREMENT --help`, as keywords: `num` (images, default 500),
            `generator`, `annotator`, `seed`, `device` …

    Returns:
        Figures by name (`figures`), tables, notes and settings; `text()` prints them.

    Raises:
        ConfigError: an unknown measurement or option, or a value out of range.
        ModelError: generator or annotator cannot be loaded, or do not belong together.
        StoreError: `out` cannot be written.

    Examples:
        >>> report = evaluate("autoencoder", num=2, batch=2, device="cpu")
        >>> report.figures["psnr_db"] > 20
        True
    """
    given = options if out is None else {**options, "out": out}
    return measure(read_options(measurement, list(_words(given)), _RaisingParser), command=_call(measurement, given))


def measure(args: argparse.Namespace, command: str) -> Report:
    """Run the measurement of `read_options`, write its folder, return its report."""
    from dataset_dm.evaluation.outcome import check_folder, complete

    check_folder(args.out)  # before minutes of work, not after
    module = importlib.import_module(f"dataset_dm.evaluation.{args.measurement.replace('-', '_')}")
    outcome = module.run(args)
    return complete(outcome, command, args)


def read_options(
    measurement: str, words: list[str], parser_type: type[argparse.ArgumentParser] = argparse.ArgumentParser
) -> argparse.Namespace:
    """The options of a measurement, from the words of a command line.

    Raises:
        ConfigError: an unknown measurement, or one that left the package.
        SystemExit: options that its parser refuses, or help.
    """
    for moved in (measurement, *(f"{measurement} {word}" for word in words)):
        if moved in MOVED:
            module = f"python -m tests.benchmarks.{MOVED[moved]}"
            raise ConfigError(explain(f"evaluate: {moved!r} left the package", remedy=f"run {module} in a checkout"))
    check_choice("measurement", measurement, MEASUREMENTS)
    chosen = MEASUREMENTS[measurement]
    description = f"{chosen.text[0].upper()}{chosen.text[1:]}."
    parser = parser_type(prog=f"dataset-dm evaluate {measurement}", description=description)
    parser.set_defaults(measurement=measurement)
    add_options(parser, *chosen.shared)
    for name, keywords in chosen.own.items():
        parser.add_argument(f"--{name}", **keywords)
    return parser.parse_args(words)


class _RaisingParser(argparse.ArgumentParser):
    """A parser for options that were given in Python."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        unknown = message.removeprefix("unrecognized arguments: --")
        if unknown != message:
            name = unknown.split("=")[0].replace("-", "_")
            known = [action.dest for action in self._actions if action.dest != "help"]
            raise ConfigError(
                f"evaluate: unknown option {name!r}; expected {', '.join(known)}{did_you_mean(name, known)}"
            )
        raise ConfigError(f"evaluate: {message.removeprefix('argument --')}")


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    """The options as words of a command line: lists joined by commas, switches alone."""
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            yield option
        elif value is not None and value is not False:
            yield f"{option}={','.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"


def _call(measurement: str, options: Mapping[str, Any]) -> str:
    """The Python call that repeats a measurement."""
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"dataset_dm.evaluate({measurement!r}{given})"

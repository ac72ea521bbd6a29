"""`dataset-dm evaluate MEASUREMENT` (labels, found, speed …): figures, tables, plots, worst images.

A measurement is a module of `dataset_dm.evaluation` with `add_arguments(parser)` and `run(args) -> Outcome`, and a line
in `MEASUREMENTS`. Its module is imported when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from dataset_dm.checks import check_choice
from dataset_dm.cli import Parser
from dataset_dm.errors import ConfigError, explain

MEASUREMENTS = {
    "labels": "labels of every task on held-out renders (blind, informed), class maps on generated images",
    "found": "how often the requested classes are in the generated images",
    "autoencoder": "what the generator's autoencoder loses",
    "attention": "labels without training on generated images: class maps, presence of absent classes",
    "speed": "generate + label + write over the plain diffusers pipeline, or all tasks over class maps alone",
    "self-training": "labels of generated images before and after training a segmenter on them",
    "agreement": "whether annotators that agree are right more often than those that are confident",
}
# Comparisons for research, run from a checkout: what a user may type → the module in tests/benchmarks.
MOVED = {
    "baseline": "baseline",
    "ablation": "ablation",
    "reading": "parity_pass",
    "attention --ablation": "attention_ablation",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which measurement; its own options are left for `parse`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = [f"  {name:<14} {text}" for name, text in MEASUREMENTS.items()]
    parser.epilog = "\n".join(["measurements:", *lines, "", "details: dataset-dm evaluate MEASUREMENT --help"])
    parser.add_argument("measurement", metavar="MEASUREMENT", help="one of those below")
    rest = parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="options of the measurement")
    rest.required = False  # older argparse names it beside a missing measurement


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the report; 0 when done."""
    measured = parse([args.measurement, *args.options])
    from dataset_dm.evaluation.outcome import check_folder, deliver

    check_folder(measured.out)  # before minutes of work, not after
    deliver(_module(measured.measurement).run(measured), shlex.join(["dataset-dm", *sys.argv[1:]]), measured)
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of one measurement.

    Raises:
        ConfigError: an unknown measurement, or one that left the package.
        SystemExit: options that its parser refuses, or help.
    """
    name, *options = words
    for moved in (name, *(f"{name} {option}" for option in options)):
        if moved in MOVED:
            module = f"python -m tests.benchmarks.{MOVED[moved]}"
            raise ConfigError(explain(f"evaluate: {moved!r} left the package", remedy=f"run {module} in a checkout"))
    check_choice("measurement", name, MEASUREMENTS)
    text = MEASUREMENTS[name]
    parser = Parser(prog=f"dataset-dm evaluate {name}", description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(measurement=name)
    _module(name).add_arguments(parser)
    return parser.parse_args(options)


def _module(measurement: str) -> Any:
    return importlib.import_module(f"dataset_dm.evaluation.{measurement.replace('-', '_')}")

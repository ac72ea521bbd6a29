"""`dataset-dm evaluate MEASUREMENT` (labels, found, speed …): figures, tables, plots, worst images."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from dataset_dm.cli import Parser
from dataset_dm.evaluation.measurements import MEASUREMENTS, measure, read_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which measurement; its own options are left for `parse`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = [f"  {name:<14} {measurement.text}" for name, measurement in MEASUREMENTS.items()]
    parser.epilog = "\n".join(["measurements:", *lines, "", "details: dataset-dm evaluate MEASUREMENT --help"])
    parser.add_argument("measurement", metavar="MEASUREMENT", help="one of those below")
    rest = parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="options of the measurement")
    rest.required = False  # older argparse names it beside a missing measurement


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the report; 0 when done."""
    parsed = parse([args.measurement, *args.options])
    report = measure(parsed, shlex.join(["dataset-dm", *sys.argv[1:]]))
    print(report.text())
    if parsed.out is not None:
        print(f"\nreport: {parsed.out / 'report.md'}")
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of one measurement; see `read_options`."""
    return read_options(words[0], list(words[1:]), Parser)

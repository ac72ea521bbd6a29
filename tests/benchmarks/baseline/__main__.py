"""A network of like size trained from scratch for every task, for comparison: `python -m tests.benchmarks.baseline`."""

from __future__ import annotations

import argparse
import shlex
import sys

from dataset_dm.evaluation.label_report import add_calibration, add_runs, add_worst_images
from dataset_dm.evaluation.options import add_options, count, open_annotator
from dataset_dm.evaluation.outcome import Outcome, check_folder, deliver
from dataset_dm.metrics.report import Report, Table
from dataset_dm.models.device import resolve_device
from dataset_dm.readers.miniature import MiniatureSet
from tests.benchmarks.baseline.net import count_parameters
from tests.benchmarks.baseline.train import CHOSEN_BY, BaselineConfig, score, train_baseline


def measure_baseline(config: BaselineConfig, images: int, device: str) -> Outcome:
    """A network of like size from scratch, on the first `images` test renders."""
    trained = train_baseline(config, device)
    test = MiniatureSet("test", images)
    runs = [("from scratch", score(trained.model, [test[i] for i in range(images)]))]
    outcome = Outcome(Report("baseline", ""))
    report = outcome.report
    add_runs(outcome, f"{images} test renders, from scratch", runs, [""])
    took = {"parameters": trained.parameters, "best_step": trained.best_step, "training_seconds": trained.seconds}
    report.figures.update(took)
    history = [[step, *(figures[name] for name in CHOSEN_BY)] for step, figures in trained.validation]
    report.tables.append(Table("validation", ["step", *CHOSEN_BY], history))
    report.notes.append("Trained with flips and crops, the labels with the images: depth ÷ zoom, left joints ↔ right.")
    report.notes.append("It never voids a pixel, and it is not calibrated: it calls every depth certain.")
    add_worst_images(outcome, "baseline", "from scratch, test renders", runs[0][1])
    add_calibration(outcome, runs)
    return outcome


def main(words: list[str] | None = None) -> int:
    """Train, measure, print the tables; with --out write report.json, report.md, plots and sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, "num", "annotator", "seed", "device", "out")
    parser.add_argument("--images", type=count, default=100, help="labelled renders to train on (default 100)")
    parser.add_argument("--steps", type=count, default=1500, help="of the training (default 1500)")
    args = parser.parse_args(words)
    check_folder(args.out)
    size = count_parameters(open_annotator(args).decoder)
    config = BaselineConfig(images=args.images, steps=args.steps, seed=args.seed, parameters=size)
    outcome = measure_baseline(config, args.num, str(resolve_device(args.device)))
    deliver(outcome, shlex.join(["python", "-m", "tests.benchmarks.baseline", *sys.argv[1:]]), args)
    return 0


if __name__ == "__main__":
    sys.exit(main())

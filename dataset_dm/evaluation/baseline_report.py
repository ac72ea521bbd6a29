"""The comparison from scratch, on the figures of every task."""

from __future__ import annotations

from dataset_dm.evaluation.baseline.train import CHOSEN_BY, BaselineConfig, score, train_baseline
from dataset_dm.evaluation.label_report import add_calibration, add_pictures, add_runs
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.metrics.report import Report, Table
from dataset_dm.readers.miniature import MiniatureSet


def measure_baseline(config: BaselineConfig, count: int, device: str) -> Outcome:
    """A network of like size from scratch, on the first `count` test renders."""
    trained = train_baseline(config, device)
    test = MiniatureSet("test", count)
    runs = [("from scratch", score(trained.model, [test[i] for i in range(count)]))]
    outcome = Outcome(Report("baseline", ""))
    report = outcome.report
    add_runs(outcome, f"{count} test renders, from scratch", runs, [""])
    took = {"parameters": trained.parameters, "best_step": trained.best_step, "training_seconds": trained.seconds}
    report.figures.update(took)
    history = [[step, *(figures[name] for name in CHOSEN_BY)] for step, figures in trained.validation]
    report.tables.append(Table("validation", ["step", *CHOSEN_BY], history))
    report.notes.append(
        "Trained with flips and crops, the labels with the pictures: depth ÷ zoom, left joints ↔ right."
    )
    report.notes.append("It never voids a pixel, and it is not calibrated: it calls every depth certain.")
    add_pictures(outcome, "baseline", "from scratch, test renders", runs[0][1])
    add_calibration(outcome, runs)
    return outcome

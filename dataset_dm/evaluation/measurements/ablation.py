"""The ablation as a table: what each factor of the labeller is worth."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from dataset_dm.evaluation.ablation import Ablation, Result, Setting
from dataset_dm.evaluation.measurements.outcome import Outcome
from dataset_dm.evaluation.report import Report, Table
from dataset_dm.training.validation import Figures

COLUMNS = {"miou": "mIoU", "mask_ap": "mask AP", "keypoint_ap": "OKS AP", "rel": "REL", "delta1": "δ1"}


def measure_ablation(ablation: Ablation, settings: Sequence[Setting]) -> Outcome:
    """One row a setting, in the order given; the table is printed as far as it goes after each."""
    results: list[Result] = []
    for setting in settings:
        results.append(ablation.run(setting))
        ablation.say(table(results[-1:], ablation.test).text())
    report = Report("ablation", "", figures=_figures(results), tables=[table(results, ablation.test)])
    train = ablation.train
    report.notes += [
        f"{train.steps} steps of {train.batch}, {train.variants.count} variants an image, seeds {[*ablation.seeds]}.",
        "Every setting differs from its `against` in one thing; blind unless a column says so.",
    ]
    return Outcome(report)


def table(results: Sequence[Result], test: int) -> Table:
    """Figures of every setting, means over its seeds."""
    rows = []
    for result in results:
        blind = [_mean(result.blind, name) for name in COLUMNS]
        rows.append([result.setting.name, result.setting.against, *blind, _mean(result.informed, "miou")])
    columns = ["setting", "against", *COLUMNS.values(), "mIoU informed"]
    return Table(f"ablation on {test} test renders", columns, rows)


def _mean(figures: Sequence[Figures], name: str) -> float:
    return statistics.fmean(getattr(each, name) for each in figures)


def _figures(results: Sequence[Result]) -> dict[str, float]:
    return {f"{result.setting.name}: {name}": _mean(result.blind, name) for result in results for name in COLUMNS}

"""The training-free labeller: its class maps, its presence, its ablation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.base import Pictures
from dataset_dm.diffusion import Backbone, SamplerConfig
from dataset_dm.evaluation.attention import ABSENT, Presences, Run, Variant, compare, naming, presences
from dataset_dm.evaluation.label_report import add_calibration, add_pictures, add_runs
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.prompt_adherence import LEAST_SHARE
from dataset_dm.metrics import plots
from dataset_dm.metrics.report import Report, Table
from dataset_dm.miniature.judge import Judge

Batches = Callable[[], Iterable[Pictures]]


def measure_attention(
    backbone: Backbone, judge: Judge, batches: Batches, count: int, annotator: AttentionAnnotator
) -> Outcome:
    """Class maps for the classes that prompts name, and presence when absent classes are asked for as well.

    Args:
        batches: the same generated images every time it is called.
        count: how many.
    """
    outcome = Outcome(Report("attention", ""))
    variant = Variant(name="attention", settings=annotator.settings)
    run = compare(backbone, judge, naming(batches()), [variant], count, SamplerConfig())[0].labels
    add_runs(outcome, f"{run.images} generated images, against the judge", [("attention", run)], [""])
    add_pictures(outcome, "attention", "labels from attention; truth is the judge", run)
    add_calibration(outcome, [("attention", run)])
    every, named = presences(backbone, judge, naming(batches()), annotator, count)
    _add_presence(outcome, every, named, annotator.settings.presence)
    return outcome


def measure_attention_ablation(
    backbone: Backbone,
    judge: Judge,
    plain: Sequence[Batches],
    appended: Sequence[Batches],
    count: int,
    sampler: SamplerConfig,
    variants: Sequence[Variant],
) -> Outcome:
    """One row a variant; those with appended prompts on the images that these draw.

    Args:
        plain, appended: the images of every seed; figures are means over the seeds.
        count: images a seed.
    """
    runs: dict[str, list[Run]] = {variant.name: [] for variant in variants}
    for seeds, drawn_so in ((plain, False), (appended, True)):
        chosen = [variant for variant in variants if variant.appended == drawn_so]
        for batches in seeds if chosen else ():
            for run in compare(backbone, judge, naming(batches()), chosen, count, sampler):
                runs[run.variant.name].append(run)
    ordered = list(runs.values())
    report = Report("attention-ablation", "")
    for several in ordered:
        name = several[0].variant.name
        report.figures.update({f"{name}: {key}": _mean(several, key) for key in _COLUMNS})
    report.tables.append(_table(ordered))
    report.notes += [
        "Every row differs from the first in one thing; the same images, but for those of appended prompts.",
        "Truth is the judge; mIoU counts every pixel. Means over the seeds; the gain over the first row is given for "
        "the worst and the best seed too.",
    ]
    return Outcome(report, plots={"ablation.png": partial(plot_ablation, ordered)})


_COLUMNS = {"miou": "mIoU", "miou_without_void": "mIoU, void left out", "void_share": "void share", "boundary_f": "F"}


def _table(runs: Sequence[Sequence[Run]]) -> Table:
    """One row a variant; `runs` has the runs of every seed of each."""
    rows: list[list[str | float | int | None]] = []
    for several in runs:
        gains = _gains(several, runs[0])
        figures = [_mean(several, key) for key in _COLUMNS]
        images = sum(run.labels.images for run in several)
        rows.append([several[0].variant.name, figures[0], fmean(gains), min(gains), max(gains), *figures[1:], images])
    miou, *others = _COLUMNS.values()
    columns = ["variant", miou, "gain", "worst seed", "best seed", *others, "images"]
    return Table("labels from attention, one thing at a time", columns, rows)


def _mean(runs: Sequence[Run], key: str) -> float:
    return fmean(run.figures()[key] for run in runs)


def _gains(runs: Sequence[Run], first: Sequence[Run]) -> list[float]:
    """mIoU over that of the first variant, seed by seed: the same images, so that these do not count."""
    return [one.figures()["miou"] - other.figures()["miou"] for one, other in zip(runs, first, strict=True)]


def _add_presence(outcome: Outcome, every: Presences, named: Presences, threshold: float) -> None:
    rows: list[list[str | float | int | None]] = []
    for name, one in (("named and absent classes", every), ("named classes alone", named)):
        kept = [score >= threshold for score in one.scores]
        present, absent = sum(one.there), len(one.there) - sum(one.there)
        right = sum(k and t for k, t in zip(kept, one.there, strict=True)) / present if present else None
        wrong = sum(k and not t for k, t in zip(kept, one.there, strict=True)) / absent if absent else None
        rows.append([name, present, absent, one.auc(), right, wrong])
    columns = ["classes asked for", "there", "not there", "AUC", "there, kept", "not there, kept"]
    outcome.report.tables.append(Table(f"presence, kept from {threshold} on", columns, rows))
    outcome.report.figures.update(presence_auc=every.auc(), presence_auc_named_alone=named.auc())
    outcome.report.notes.append(
        f"Presence: every picture is also asked about {ABSENT} classes that its prompt does not name. There: at least "
        f"{100 * LEAST_SHARE:.0f} % of the picture by the judge; not there: no pixel."
    )
    outcome.plots["presence.png"] = partial(plot_roc, [("named and absent", every), ("named alone", named)])


def plot_roc(curves: Sequence[tuple[str, Presences]], path: Path) -> None:
    """Draw ROC curves and write a PNG to `path`; kinds that lack are left out."""
    drawn = plots.figure(4.6, 4.4)
    axes = drawn.subplots()
    for (name, one), colour in zip(curves, (plots.BLUE, plots.RED), strict=True):
        if any(one.there) and not all(one.there):
            axes.plot(*one.curve(), color=colour, label=f"{name}: AUC {one.auc():.3f}")
    axes.plot([0, 1], [0, 1], color=plots.INK, linewidth=1, linestyle="--")
    axes.set(xlabel="absent classes kept", ylabel="present classes kept", title="presence of classes asked for")
    axes.legend(frameon=False, loc="lower right")
    axes.grid(color=plots.PALE)
    plots.save(drawn, path)


def plot_ablation(runs: Sequence[Sequence[Run]], path: Path) -> None:
    """Draw one bar a variant, mIoU on every pixel, and write a PNG to `path`; a dot a seed, a line marks the first."""
    drawn = plots.figure(7.5, 0.7 + 0.3 * len(runs))
    axes = drawn.subplots()
    scores = [100 * _mean(several, "miou") for several in runs]
    axes.barh(range(len(runs)), scores, color=[plots.RED, *[plots.BLUE] * (len(runs) - 1)])
    for place, (score, several) in enumerate(zip(scores, runs, strict=True)):
        seeds = [100 * run.figures()["miou"] for run in several]
        axes.scatter(seeds, [place] * len(seeds), s=9, color=plots.INK, zorder=3)
        axes.text(max(seeds) + 0.8, place, f"{score:.1f}", va="center", fontsize=8, color=plots.INK)
    axes.axvline(scores[0], color=plots.RED, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(runs)), [several[0].variant.name for several in runs], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="mIoU against the judge, every pixel, %", xlim=(0, 100))
    axes.tick_params(length=0)
    plots.save(drawn, path)

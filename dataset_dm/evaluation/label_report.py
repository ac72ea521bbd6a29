"""Tables, plots and sheets of images that show the figures of labels, the same for every annotator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.metrics import plots
from dataset_dm.metrics.figures import LabelFigures, SemanticFigures, side_by_side
from dataset_dm.metrics.figures.instance import ap_table
from dataset_dm.metrics.figures.semantic import class_table, confusion_table
from dataset_dm.metrics.groups import Split

Runs = Sequence[tuple[str, LabelFigures]]

TITLES = {"semantic": "class maps", "instance": "instances", "depth": "depth", "pose": "joints"}
CONFIDENCE_OF = {
    "semantic": "foreground pixels",
    "instance": "scores of objects",
    "depth": "depth within a factor of 1.25",
    "pose": "joints of people found",
}
# a task's parts of file names; class maps need none
FILES = {"semantic": "", "instance": "_instances", "depth": "_depth", "pose": "_keypoints"}
NOTES = {
    "semantic": "mIoU counts every pixel: argmax over 21 classes, no void, no filter. Boundary F-score: outlines of "
    "all classes but background, forgiven 0.75 % of the diagonal, at least one pixel.",
    "instance": "AP is COCO's, class by class. Its limits of small, medium and large (32² and 96² pixels) are scaled "
    "to the image's size: × (longer side / 640)². A score is right when class and mask (IoU ≥ 0.5) are.",
    "depth": "Depth figures pool all pixels of known true depth; a pixel without an answer counts as 0 m.",
    "pose": "OKS AP is COCO's, over people with a labelled joint. A joint's score is held against truth for people "
    "whose mask was found; right is an OKS of that joint of at least 0.5.",
}


def add_runs(outcome: Outcome, title: str, runs: Runs, prefixes: Sequence[str], split: Split | None = None) -> None:
    """Put the figures and tables of runs over the same images into an outcome.

    Args:
        title: what was labelled ("500 renders").
        runs: (name, figures), all of the same tasks.
        prefixes: of the figures' names, one a run.
        split: classes that are measured apart.
    """
    for task in runs[0][1].tasks:
        per_run = [(name, run.tasks[task]) for name, run in runs]
        figures = [of_task.figures() for _, of_task in per_run]
        if task == "semantic" and split is not None:
            figures = [{**one, **split.figures(run.every)} for one, (_, run) in zip(figures, per_run, strict=True)]
        for prefix, one in zip(prefixes, figures, strict=True):
            outcome.report.figures.update({f"{prefix}{name}": value for name, value in one.items()})
        if task == "semantic":
            outcome.report.tables += [
                class_table(f"IoU on {title}", per_run),
                confusion_table(f"most frequent mistakes, {per_run[0][0]}", per_run[0][1]),
            ]
        else:
            columns = [(name, one) for (name, _), one in zip(runs, figures, strict=True)]
            outcome.report.tables.append(side_by_side(f"{TITLES[task]}, {title}", columns))
        if task == "instance":
            outcome.report.tables.append(ap_table(f"mask AP a class, {title}", per_run))
        if NOTES[task] not in outcome.report.notes:
            outcome.report.notes.append(NOTES[task])


def add_worst_images(outcome: Outcome, name: str, title: str, run: LabelFigures) -> None:
    """Put the worst images of a run into an outcome, a sheet a task, and the confusion of its class maps.

    Args:
        name: what the files of class maps are called after.
        title: stands on the sheets.
    """
    for task, of_task in run.tasks.items():
        if isinstance(of_task, SemanticFigures):
            outcome.plots[f"confusion_{name}.png"] = partial(_draw_confusion, of_task, title)
        file = f"worst{FILES[task] or f'_{name}'}.png"
        outcome.sheets[file] = (f"worst cases, {TITLES[task]}: {title}", of_task.worst.rows())


def add_calibration(outcome: Outcome, runs: Runs) -> None:
    """Put a reliability diagram a task into an outcome, the runs side by side."""
    for task in dict.fromkeys(task for _, run in runs for task in run.tasks):
        curves = [(name, run.tasks[task].reliability) for name, run in runs if task in run.tasks]
        outcome.plots[f"calibration{FILES[task]}.png"] = partial(
            plots.plot_reliability, curves, title=CONFIDENCE_OF[task]
        )


def _draw_confusion(run: SemanticFigures, title: str, path: Path) -> None:
    plots.plot_confusion(run.every, NAMES, path, title)

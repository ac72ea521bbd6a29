"""One function a measurement: models and numbers in, a report with its plots and pictures out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dataset_dm.annotators.base import Annotator
from dataset_dm.diffusion import Backbone
from dataset_dm.errors import MissingExtra
from dataset_dm.evaluation import autoencoder, baseline, found, labels, overhead, plots
from dataset_dm.evaluation.figures import LabelFigures, class_table, confusion_table
from dataset_dm.evaluation.report import Report, Table, percent
from dataset_dm.evaluation.sources import NAMES, Pictures, drawn, renders, stored
from dataset_dm.miniature.judge import Judge
from dataset_dm.plan import GenerationPlan
from dataset_dm.preview import Row, sheet

EVERY_PIXEL = "mIoU counts every pixel: argmax over 21 classes, no void, no filter."


@dataclass
class Outcome:
    """A report, what is drawn beside it, and the pictures to look at.

    Args:
        plots: file name → function that draws it.
        sheets: file name → title and tiles of a picture sheet.
    """

    report: Report
    plots: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    sheets: dict[str, tuple[str, list[Row]]] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write report.json, report.md, the plots (if matplotlib is there) and the sheets."""
        self.report.save(folder)
        try:
            for name, draw in self.plots.items():
                draw(folder / name)
        except MissingExtra as error:
            print(f"plots left out: {error}", file=sys.stderr)
        for name, (title, rows) in self.sheets.items():
            if rows:
                sheet(rows, NAMES, title).save(folder / name)


def measure_labels(
    backbone: Backbone,
    annotator: Annotator,
    judge: Judge,
    *,
    count: int,
    batch: int,
    on_renders: bool = True,
    plan: GenerationPlan | None = None,
    device: str = "auto",
) -> Outcome:
    """The decoder on `count` held-out renders, blind and informed; its labels on the first `count` images of a plan.

    Args:
        on_renders: False leaves the renders out.
        plan: None leaves the generated images out.
    """
    outcome = Outcome(Report("labels", "", notes=[EVERY_PIXEL]))
    outcome.report.notes.append("blind: the labelling pass is told no class; informed: it is told caption or prompt.")
    curves: list[tuple[str, LabelFigures]] = []
    if on_renders:
        curves += _on_renders(outcome, backbone, annotator, count, batch)
    if plan is not None:
        run, finds = labels.on_generated(backbone, annotator, judge, stored(plan, count, device=device), count)
        title = f"IoU on {run.images} generated images, informed, against the judge"
        outcome.report.tables += [class_table(title, [("informed", run)]), finds.table("requested classes found")]
        outcome.report.figures.update(run.figures("generated_"), **finds.figures("generated_"))
        _add_pictures(outcome, "generated", "generated images, informed; truth is the judge", run)
        curves.append(("generated", run))
    drawn_curves = [(name, run.reliability) for name, run in curves]
    outcome.plots["calibration.png"] = lambda path: plots.plot_reliability(drawn_curves, path, "foreground confidence")
    return outcome


def _on_renders(
    outcome: Outcome, backbone: Backbone, annotator: Annotator, count: int, batch: int
) -> list[tuple[str, LabelFigures]]:
    held_out = renders(count, batch, size=backbone.native_size)
    blind, informed = labels.on_renders(backbone, annotator, held_out, count, informed=(False, True))
    runs = [("blind", blind), ("informed", informed)]
    title = f"IoU on {blind.images} held-out renders, against exact truth"
    outcome.report.tables += [class_table(title, runs), confusion_table("most frequent mistakes, blind", blind)]
    outcome.report.figures.update(blind.figures("renders_blind_"), **informed.figures("renders_informed_"))
    _add_pictures(outcome, "renders", "renders, blind", blind)
    return runs


def _add_pictures(outcome: Outcome, name: str, title: str, run: LabelFigures) -> None:
    outcome.plots[f"confusion_{name}.png"] = lambda path: plots.plot_confusion(run.every, NAMES, path, title)
    outcome.sheets[f"worst_{name}.png"] = (f"worst cases: {title}", run.worst())


def measure_found(backbone: Backbone, judge: Judge, count: int, batch: int, seed: int) -> Outcome:
    """How often the judge finds the requested classes in images that the generator draws."""
    finds, misses = found.in_generated(judge, drawn(backbone, count, batch, seed=seed), count)
    control = found.in_renders(judge, renders(min(count, 200), batch, size=backbone.native_size), min(count, 200))
    report = Report("found", "", figures={**finds.figures(), "judge_finds_on_renders": control.each()})
    kinds = [[f"{k} class(es)", finds.images[k], finds.rate(k)] for k in sorted(finds.images)]
    report.tables.append(Table("prompts", ["prompt names", "images", "all found"], kinds))
    report.tables.append(finds.table("requested classes found"))
    least = percent(found.LEAST_SHARE)
    report.notes.append(f"found: the judge gives the class at least {least} of the picture; two classes: both found.")
    report.notes.append(
        "judge_finds_on_renders: the same judge on renders that truly show the class; no more is possible."
    )
    return Outcome(report, {}, {"missed.png": ("first misses, as the judge reads them", _missed(judge, misses))})


def _missed(judge: Judge, misses: list[tuple[Pictures, int]]) -> list[Row]:
    rows = []
    for pictures, i in misses:
        class_map = judge.segment(pictures.images[i : i + 1])[0].cpu().numpy()
        rows.append(
            Row(pictures.images[i].numpy(), class_map, pictures.prompts[i], None, pictures.seeds[i] & 0xFFFFFFFF)
        )
    return rows


def measure_autoencoder(backbone: Backbone, judge: Judge, count: int, batch: int) -> Outcome:
    """What encoding and decoding a render loses, in dB and in the judge's eyes."""
    held_out = renders(count, batch, size=backbone.native_size)
    fidelity, worst = autoencoder.measure(backbone, judge, held_out, count)
    report = Report("autoencoder", "", figures=fidelity.figures(), tables=[fidelity.table()])
    report.notes.append("PSNR is against the render before its sensor noise: what the picture should be.")
    title = "worst reconstructions: image after the autoencoder, truth, the judge's reading"
    return Outcome(report, {}, {"worst.png": (title, worst)})


def measure_baseline(config: baseline.BaselineConfig, count: int, device: str) -> Outcome:
    """A segmenter of like size from scratch, on the first `count` test renders."""
    trained = baseline.train_baseline(config, device)
    run = labels.judge_on_renders(trained.model, renders(count, 25), count)
    figures = {**run.figures(), "parameters": trained.parameters, "best_step": trained.best_step}
    report = Report("baseline", "", figures={**figures, "training_seconds": trained.seconds})
    report.tables.append(class_table(f"IoU on {count} test renders, from scratch", [("from scratch", run)]))
    report.tables.append(Table("validation", ["step", "mIoU"], [list(entry) for entry in trained.validation]))
    report.notes += [EVERY_PIXEL, "It never voids a pixel."]
    outcome = Outcome(report)
    _add_pictures(outcome, "baseline", "from scratch, test renders", run)
    return outcome


def measure_speed(plan: GenerationPlan, rounds: int, device: str) -> Outcome:
    """Generate + label + write over the plain pipeline."""
    result = overhead.measure(plan, rounds, device)
    report = Report("speed", "", figures=result.figures(), tables=[result.table(), result.stage_table()])
    report.notes.append("Plain: the same pipeline object called as its users do, PIL images out, nothing written.")
    return Outcome(report)


def settings(**values: Any) -> dict[str, Any]:
    """What a report says about how it was measured: the values that were given, then device and versions."""
    import torch

    here = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    versions = ", ".join(f"{name} {version(name)}" for name in ("dataset-dm", "torch", "diffusers") if _installed(name))
    return {**{k: v for k, v in values.items() if v is not None}, "machine": here, "versions": versions}


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:  # run from a checkout
        return False

"""The labels of an annotator: all its tasks on renders, its class maps on generated images."""

from __future__ import annotations

from dataset_dm.annotators.base import Annotator
from dataset_dm.diffusion import Backbone
from dataset_dm.evaluation import labels
from dataset_dm.evaluation.groups import Split
from dataset_dm.evaluation.measurements.outcome import Outcome
from dataset_dm.evaluation.measurements.tasks import Runs, add_calibration, add_pictures, add_runs
from dataset_dm.evaluation.report import Report
from dataset_dm.evaluation.sources import renders, stored
from dataset_dm.miniature.judge import Judge
from dataset_dm.miniature.world import VOC_CLASSES
from dataset_dm.plan import GenerationPlan

TOLD = "blind: the labelling pass is told no class; informed: it is told caption or prompt."


def measure_labels(
    backbone: Backbone,
    annotator: Annotator,
    judge: Judge | None,
    *,
    count: int,
    batch: int,
    on_renders: bool = True,
    plan: GenerationPlan | None = None,
    split: Split | None = None,
    device: str = "auto",
) -> Outcome:
    """The annotator on `count` held-out renders, blind and informed; its labels on the first `count` images of a plan.

    Args:
        judge: what is taken for the truth of generated images; None with no plan.
        on_renders: False leaves the renders out.
        plan: None leaves the generated images out.
        split: positions in VOC_CLASSES of classes that are measured apart.
    """
    outcome = Outcome(Report("labels", "", notes=[TOLD]))
    runs: list[tuple[str, labels.LabelFigures]] = []
    if on_renders:
        runs += _on_renders(outcome, backbone, annotator, count, batch, split)
    if plan is not None:
        assert judge is not None, "generated images have no truth but the judge's"
        run, finds = labels.on_generated(backbone, annotator, judge, stored(plan, count, device=device), count)
        title = f"{run.images} generated images, informed, against the judge"
        add_runs(outcome, title, [("informed", run)], ["generated_"], split)
        outcome.report.tables.append(finds.table("requested classes found"))
        outcome.report.figures.update(finds.figures("generated_"))
        add_pictures(outcome, "generated", "generated images, informed; truth is the judge", run)
        runs.append(("generated", run))
    if split is not None:
        outcome.report.notes += split.notes(VOC_CLASSES)
    add_calibration(outcome, runs)
    return outcome


def _on_renders(
    outcome: Outcome, backbone: Backbone, annotator: Annotator, count: int, batch: int, split: Split | None
) -> Runs:
    held_out = renders(count, batch, size=backbone.native_size)
    blind, informed = labels.on_renders(backbone, annotator, held_out, count, informed=(False, True))
    runs = [("blind", blind), ("informed", informed)]
    title = f"{blind.images} held-out renders, against exact truth"
    add_runs(outcome, title, runs, ["renders_blind_", "renders_informed_"], split)
    add_pictures(outcome, "renders", "renders, blind", blind)
    return runs

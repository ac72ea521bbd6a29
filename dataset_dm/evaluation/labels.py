"""How good are the labels? Against exact truth on held-out renders, against the judge on generated images.

*Blind*: the text of the labelling pass names no class; what a measurement on renders or photographs must use.
*Informed*: the pass is told the prompt; fair on generated images, where it is what we asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.diffusion import Backbone
from dataset_dm.engine.progress import bar
from dataset_dm.errors import did_you_mean
from dataset_dm.evaluation.label_report import Runs, add_calibration, add_runs, add_worst_images
from dataset_dm.evaluation.options import add_options, open_judge, open_pair, plan_of
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES, Renders, renders, stored
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.groups import Split
from dataset_dm.metrics.prompt_adherence import PromptAdherence
from dataset_dm.metrics.report import Report
from dataset_dm.metrics.truth import Truth
from dataset_dm.miniature.judge import Judge
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.training.features import BLIND

TOLD = "blind: the labelling pass is told no class; informed: it is told caption or prompt."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which annotator, on which images."""
    add_options(parser, "num", "batch", "generator", "annotator", "judge", "seed", "device", "out")
    parser.add_argument("--on", choices=("both", "renders", "generated"), default="both", help="which images")
    unseen = "classes that the decoder was not trained on: adds seen, unseen, harmonic mIoU"
    parser.add_argument("--unseen", type=class_positions, default=(), metavar="A,B,C", help=unseen)
    tail = "classes with few labelled images: adds head and tail mIoU"
    parser.add_argument("--tail", type=class_positions, default=(), metavar="A,B,C", help=tail)


def run(args: argparse.Namespace) -> Outcome:
    """Label renders and generated images."""
    backbone, annotator = open_pair(args)
    generated = args.on != "renders"
    return measure_labels(
        backbone,
        annotator,
        open_judge(args) if generated else None,
        count=args.num,
        batch=args.batch,
        on_renders=args.on != "generated",
        plan=plan_of(args, classes=VOC_CLASSES) if generated else None,
        split=Split(tuple(args.unseen), tuple(args.tail)),
        device=args.device,
    )


def class_positions(text: str) -> tuple[int, ...]:
    """Positions in VOC's class list of comma-separated names; argparse prints the error after the option's name."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in VOC_CLASSES:
            said = did_you_mean(name, VOC_CLASSES)
            raise argparse.ArgumentTypeError(f"got {name!r}, expected names of VOC's 20 classes{said}")
    if not 0 < len(names) < len(VOC_CLASSES):
        raise argparse.ArgumentTypeError(f"got {len(names)} classes, expected 1..{len(VOC_CLASSES) - 1}")
    return tuple(sorted(VOC_CLASSES.index(name) for name in names))


def told(pictures: Pictures, *, informed: bool) -> Pictures:
    """What a labeller is told of pictures: caption or prompt, or, blind, nothing."""
    count = len(pictures)
    return pictures if informed else replace(pictures, prompts=[BLIND] * count, named=[()] * count)


def label(
    annotator: Annotator,
    pictures: Pictures,
    seen: Any,
    *,
    informed: bool,
    tasks: Sequence[str] | None = None,
) -> list[Annotation]:
    """The annotations of a batch for all of VOC's classes, whatever the annotator was trained on, with the probability
    of every pixel; informed ones are also told which classes the prompts name.

    Args:
        seen: what the annotator has read of these pictures.
        tasks: what is read; None is all that the annotator can.
    """
    requested = [list(positions) for positions in pictures.named] if informed else None
    more: dict[str, Any] = {"tasks": tasks, "keep_probability": True}
    return annotator.annotate(seen, VOC_CLASSES, requested, **more)


def on_renders(
    backbone: Backbone, annotator: Annotator, batches: Iterable[Renders], count: int, *, informed: Sequence[bool]
) -> list[LabelFigures]:
    """Figures of all tasks against exact truth, one for each entry of `informed` (False: blind), in one go over the
    renders."""
    runs = [LabelFigures(NAMES, annotator.tasks) for _ in informed]
    with bar(count, "render", "renders labelled") as progress:
        for batch in batches:
            pictures = batch.pictures.encoded(backbone)
            for run, knowing in zip(runs, informed, strict=True):
                seen = annotator.look(backbone, told(pictures, informed=knowing), VOC_CLASSES)
                # what no text changes is read once
                pictures = replace(pictures, levels={name: seen.levels[name] for name in annotator.levels} or None)
                _add(run, pictures, label(annotator, pictures, seen, informed=knowing), batch.truths)
            progress.update(len(pictures))
    return runs


def on_generated(
    backbone: Backbone, annotator: Annotator, judge: Judge, batches: Iterable[Pictures], count: int
) -> tuple[LabelFigures, PromptAdherence]:
    """Figures of generated images, informed, with the judge's class map as truth; and what the judge adherence in them.

    The judge has an opinion about classes alone: an annotator without the task semantic gets no figures here.
    """
    tasks = [task for task in annotator.tasks if task == SEMANTIC.name]
    run, adherence = LabelFigures(NAMES, tasks), PromptAdherence()
    with bar(count, "image", "generated images labelled") as progress:
        for pictures in batches:
            truth = judge.segment(pictures.images).cpu().numpy()
            for named, class_map in zip(pictures.named, truth, strict=True):
                adherence.add(named, class_map)
            if tasks:
                seen = annotator.look(backbone, pictures, VOC_CLASSES)
                said = label(annotator, pictures, seen, informed=True, tasks=tasks)
                _add(run, pictures, said, [Truth(one) for one in truth])
            progress.update(len(pictures))
    return run, adherence


def judge_on_renders(judge: Judge, batches: Iterable[Renders], count: int) -> LabelFigures:
    """The judge's own figures against exact truth: how far its opinion can be taken for truth."""
    run = LabelFigures(NAMES)
    with bar(count, "render", "renders judged") as progress:
        for batch in batches:
            confidence, said = judge.probabilities(batch.pictures.images).max(dim=1)
            rows = zip(said.to(torch.uint8).cpu().numpy(), confidence.float().cpu().numpy(), strict=True)
            _add(run, batch.pictures, [_opinion(labels, sure) for labels, sure in rows], batch.truths)
            progress.update(len(batch.pictures))
    return run


def _opinion(labels: np.ndarray, confidence: np.ndarray) -> Annotation:
    return Annotation(confidence=float(confidence.mean()), label=labels, full=labels, probability=confidence)


def _add(run: LabelFigures, pictures: Pictures, annotations: Sequence[Annotation], truths: Sequence[Truth]) -> None:
    for i, annotation in enumerate(annotations):
        run.add(pictures.images[i].numpy(), annotation, truths[i], pictures.prompts[i])


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
    runs: list[tuple[str, LabelFigures]] = []
    if on_renders:
        runs += _on_renders(outcome, backbone, annotator, count, batch, split)
    if plan is not None:
        assert judge is not None, "generated images have no truth but the judge's"
        run, adherence = on_generated(backbone, annotator, judge, stored(plan, count, device=device), count)
        title = f"{run.images} generated images, informed, against the judge"
        add_runs(outcome, title, [("informed", run)], ["generated_"], split)
        outcome.report.tables.append(adherence.table("requested classes found"))
        outcome.report.figures.update(adherence.figures("generated_"))
        add_worst_images(outcome, "generated", "generated images, informed; truth is the judge", run)
        runs.append(("generated", run))
    if split is not None:
        outcome.report.notes += split.notes(VOC_CLASSES)
    add_calibration(outcome, runs)
    return outcome


def _on_renders(
    outcome: Outcome, backbone: Backbone, annotator: Annotator, count: int, batch: int, split: Split | None
) -> Runs:
    held_out = renders(count, batch, size=backbone.native_size)
    blind, informed = on_renders(backbone, annotator, held_out, count, informed=(False, True))
    runs = [("blind", blind), ("informed", informed)]
    title = f"{blind.images} held-out renders, against exact truth"
    add_runs(outcome, title, runs, ["renders_blind_", "renders_informed_"], split)
    add_worst_images(outcome, "renders", "renders, blind", blind)
    return runs

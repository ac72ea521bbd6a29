"""Labels without training: quality of class maps, and presence scores of present and absent classes.

Truth is the judge's class map of each generated image. For presence every image is also asked about classes that its
prompt does not name; whether a class is there is decided by the judge alone.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import Backbone
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.label_report import add_calibration, add_runs, add_worst_images
from dataset_dm.evaluation.options import open_backbone, open_judge, plan_of
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES, stored
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.presence import Presences, plot_roc
from dataset_dm.metrics.prompt_adherence import LEAST_SHARE
from dataset_dm.metrics.report import Report, Table
from dataset_dm.metrics.truth import Truth
from dataset_dm.miniature.judge import Judge

ABSENT = 2  # classes that every image is asked about beside those its prompt names

Batches = Callable[[], Iterable[ImageBatch]]


def run(args: argparse.Namespace) -> Outcome:
    """Label the images of a plan."""
    annotator = AttentionAnnotator.load(args.annotator)
    backbone, judge = open_backbone(args), open_judge(args)
    plan = plan_of(args, classes=VOC_CLASSES)
    images = partial(stored, plan, args.num, device=args.device)
    return measure_attention(backbone, judge, images, args.num, annotator)


def measure_attention(
    backbone: Backbone, judge: Judge, batches: Batches, count: int, annotator: AttentionAnnotator
) -> Outcome:
    """Class maps of the classes that prompts name, and presence scores with absent classes requested too.

    Args:
        batches: the same generated images every time it is called.
        count: how many.
    """
    outcome = Outcome(Report("attention", ""))
    run = label_named(backbone, judge, naming(batches()), annotator, count)
    add_runs(outcome, f"{run.images} generated images, against the judge", [("attention", run)], [""])
    add_worst_images(outcome, "attention", "labels from attention; truth is the judge", run)
    add_calibration(outcome, [("attention", run)])
    every, named = presences(backbone, judge, naming(batches()), annotator, count)
    _add_presence(outcome, every, named, annotator.settings.presence)
    return outcome


def label_named(
    backbone: Backbone, judge: Judge, batches: Iterable[ImageBatch], annotator: AttentionAnnotator, count: int
) -> LabelFigures:
    """Figures of class maps, with the classes of each image's prompt requested."""
    run = LabelFigures(NAMES)
    with bar(count, "image", "images labelled") as progress:
        for batch in batches:
            asked = AnnotationRequest(batch=batch, classes=VOC_CLASSES, keep_probability=True)
            labels = annotator.annotate(annotator.read(asked, backbone))
            truth = judge.segment(batch.images).cpu().numpy()
            for image, one, true, prompt in zip(batch.images.numpy(), labels, truth, batch.prompts, strict=True):
                run.add(image, one, Truth(true), prompt)
            progress.update(len(batch))
    return run


def with_absent(batch: ImageBatch) -> ImageBatch:
    """The same images, also asked about ABSENT classes that their prompts do not name, chosen by their seeds."""

    def more(seed: int, named: Sequence[int]) -> list[int]:
        others = [position for position in range(len(VOC_CLASSES)) if position not in named]
        return sorted([*named, *random.Random(seed).sample(others, min(ABSENT, len(others)))])

    return replace(batch, named=[more(*pair) if pair[1] else [] for pair in zip(batch.seeds, batch.named, strict=True)])


def presences(
    backbone: Backbone, judge: Judge, batches: Iterable[ImageBatch], annotator: AttentionAnnotator, count: int
) -> tuple[Presences, Presences]:
    """Presence of all requested classes, absent ones among them; and of those alone that the prompts name."""
    every, named = Presences(), Presences()
    with bar(count, "image", "presences read") as progress:
        for batch in batches:
            asked = with_absent(batch)
            labels = annotator.annotate(annotator.read(AnnotationRequest(batch=asked, classes=VOC_CLASSES), backbone))
            truth = judge.segment(batch.images).cpu().numpy()
            for row, one in enumerate(labels):
                every.add(asked.named[row], one.presence, truth[row])
                named.add(batch.named[row], one.presence, truth[row])
            progress.update(len(batch))
    return every, named


def naming(batches: Iterable[ImageBatch]) -> Iterator[ImageBatch]:
    """Batches without the images whose prompt names no class, which have no requested class."""
    for batch in batches:
        rows = [row for row, named in enumerate(batch.named) if named]
        if rows:
            yield ImageBatch(
                images=batch.images[rows],
                prompts=[batch.prompts[row] for row in rows],
                seeds=[batch.seeds[row] for row in rows],
                named=[batch.named[row] for row in rows],
                latents=None if batch.latents is None else batch.latents[rows],
            )


def _add_presence(outcome: Outcome, every: Presences, named: Presences, threshold: float) -> None:
    rows: list[list[str | float | int | None]] = []
    for name, one in (("named and absent classes", every), ("named classes alone", named)):
        present, absent = sum(one.present), len(one.present) - sum(one.present)
        kept = [one.kept(threshold, present=present) for present in (True, False)]
        rows.append([name, present, absent, one.auc(), *kept])
    columns = ["classes asked for", "there", "not there", "AUC", "there, kept", "not there, kept"]
    outcome.report.tables.append(Table(f"presence, kept from {threshold} on", columns, rows))
    outcome.report.figures.update(presence_auc=every.auc(), presence_auc_named_alone=named.auc())
    outcome.report.notes.append(
        f"Presence: every image is also asked about {ABSENT} classes that its prompt does not name. There: at least "
        f"{100 * LEAST_SHARE:.0f} % of the image by the judge; not there: no pixel."
    )
    outcome.plots["presence.png"] = partial(plot_roc, [("named and absent", every), ("named alone", named)])

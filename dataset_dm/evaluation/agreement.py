"""Agreement between annotators against their own confidence, as a predictor of correct labels."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dataset_dm import annotators
from dataset_dm.annotators.combined import CombinedAnnotator
from dataset_dm.annotators.request import ImageBatch
from dataset_dm.diffusion import Backbone
from dataset_dm.engine.progress import bar
from dataset_dm.errors import ConfigError, explain
from dataset_dm.evaluation.labels import asked
from dataset_dm.evaluation.options import open_judge, plan_of
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES, stored
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.ranking import Ranking
from dataset_dm.metrics.report import Report, Table
from dataset_dm.metrics.semantic import Confusion, image_miou
from dataset_dm.miniature.judge import Judge
from dataset_dm.models.annotators import names_of
from dataset_dm.postprocess.consensus import consensus

NOTE = (
    "AUROC: chance that a right pixel (or an image among the better half) has a higher score than a wrong one. "
    "agreement of a pixel is 1 where all annotators say the same and 0 elsewhere; of an image it is the mean over its "
    "classes of the intersection over union of the annotators' masks."
)


def run(args: argparse.Namespace) -> Outcome:
    """Label the images of a plan by two annotators or more."""
    asked = {"classes": VOC_CLASSES, "append_classes": args.append_classes}
    plan = plan_of(args, **asked)
    annotator = annotators.load(plan.annotator_reference, device=args.device)
    if not isinstance(annotator, CombinedAnnotator):
        raise ConfigError(explain("--annotator", got=args.annotator, expected="two or more joined by ' + '"))
    backbone = Backbone.load(plan.generator_reference, device=args.device)
    # images alone are read from the store: the labels of one annotator will do there
    images = stored(plan_of(args, **asked, annotator=names_of(plan.annotator)[0]), args.num, device=args.device)
    return measure_agreement(backbone, annotator, open_judge(args), images, args.num)


@dataclass
class _Run:
    """The labels of one annotator over all images, ranked by its confidence and by agreement."""

    every: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))
    voided: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))
    reliability: Reliability = field(default_factory=Reliability)
    pixels: dict[str, Ranking] = field(default_factory=lambda: {"confidence": Ranking(), "agreement": Ranking()})
    images: dict[str, list[float]] = field(default_factory=lambda: {"miou": [], "confidence": [], "agreement": []})

    def add(self, said: Annotation, truth: np.ndarray, same: np.ndarray, agreed: float) -> None:
        """Count an image: where the annotators say the same, and how far they agree on it."""
        assert said.full is not None and said.label is not None and said.probability is not None
        self.every.add(said.full, truth)
        self.voided.add(said.label, truth)
        self.reliability.add_foreground(said.full, said.probability, truth)
        right = said.full == truth
        self.pixels["confidence"].add(np.minimum(said.probability, 1), right)
        self.pixels["agreement"].add(same, right)
        one = {"miou": image_miou(said.full, truth, len(NAMES)), "confidence": said.confidence, "agreement": agreed}
        for name, value in one.items():
            self.images[name].append(value)

    def auroc_of_images(self, score: str) -> float:
        """AUROC of a score for the better half of the images."""
        miou, ranking = np.asarray(self.images["miou"]), Ranking()
        ranking.add(np.clip(self.images[score], 0, 1), miou > np.median(miou))
        return ranking.auroc()


def measure_agreement(
    backbone: Backbone, annotator: CombinedAnnotator, judge: Judge, batches: Iterable[ImageBatch], count: int
) -> Outcome:
    """Every annotator's own labels and those of all together, prompted, with the judge's class map as truth."""
    names = [*(part.name for part in annotator.parts), "together"]
    runs = {name: _Run() for name in names}
    with bar(count, "image", "generated images labelled") as progress:
        for batch in batches:
            truth = judge.segment(batch.images).cpu().numpy()
            request = asked(batch, prompted=True, tasks=[SEMANTIC.name])
            each = [part.annotate(part.read(request, backbone)) for part in annotator.parts]
            for said, true in zip(zip(*each, strict=True), truth, strict=True):
                _add(runs, said, true)
            progress.update(len(batch))
    return Outcome(_report(runs, count))


def _add(runs: dict[str, _Run], said: Sequence[Annotation], truth: np.ndarray) -> None:
    together = consensus(said, len(VOC_CLASSES), keep_probability=True)
    full = np.stack([one.full for one in said])
    same = (full == full[0]).all(axis=0)
    known = together.agreement[~np.isnan(together.agreement)]
    agreed = float(known.mean()) if len(known) else 1.0  # no annotator sees a class: full agreement
    for run, one in zip(runs.values(), (*said, together), strict=True):
        run.add(one, truth, same, agreed)


def _report(runs: dict[str, _Run], count: int) -> Report:
    report = Report("agreement", "", notes=[NOTE])
    labels = [[name, run.every.miou(), run.voided.miou(), run.voided.void_share(), run.reliability.ece()]
              for name, run in runs.items()]  # fmt: skip
    columns = ["annotator", "mIoU, every pixel", "mIoU, void left out", "void share", "ECE of foreground"]
    report.tables.append(Table(f"{count} generated images, prompted, against the judge", columns, labels))
    scores = ("confidence", "agreement")
    ranks = [
        [name, *(run.pixels[score].auroc() for score in scores), *(run.auroc_of_images(score) for score in scores)]
        for name, run in runs.items()
    ]
    columns = ["labels of", *(f"{what}: {score}" for what in ("pixel", "image") for score in scores)]
    report.tables.append(Table("AUROC of being right", columns, ranks))
    for number, (_, run) in enumerate(runs.items()):
        prefix = "together" if number == len(runs) - 1 else f"annotator_{number}"
        report.figures[f"{prefix}_miou"] = run.every.miou()
        for score in scores:
            report.figures[f"{prefix}_pixel_auroc_{score}"] = run.pixels[score].auroc()
            report.figures[f"{prefix}_image_auroc_{score}"] = run.auroc_of_images(score)
    return report

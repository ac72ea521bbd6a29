"""Gain of self-training: labels of the same generated images before and after, against the judge."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from dataset_dm.checks import parse_settings
from dataset_dm.engine import Engine, pending
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.options import open_judge, plan_of
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.report import Report, Table
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge
from dataset_dm.models.annotators import find_annotator
from dataset_dm.models.generators import find_generator
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores
from dataset_dm.training.segmenter import SegmenterConfig
from dataset_dm.training.self_training import ensure_segmenter

SPLIT = "train"


def run(args: argparse.Namespace) -> Outcome:
    """Train and relabel."""
    config = SegmenterConfig.from_dict(parse_settings("--segmenter", args.segmenter) or {})
    plan = plan_of(args, classes=VOC_CLASSES, append_classes=args.append_classes)
    return measure_self_training(
        plan, open_judge(args), args.num, args.rounds, config, args.device, train_on=args.train_on
    )


@dataclass(frozen=True)
class Scored:
    """Labels of one round: argmax labels on every pixel, and labels as they are stored, void left out."""

    every: Confusion
    voided: Confusion


def measure_self_training(
    plan: GenerationPlan,
    judge: Judge,
    count: int,
    rounds: int,
    config: SegmenterConfig,
    device: str = "auto",
    *,
    train_on: int | None = None,
) -> Outcome:
    """mIoU of the first labels and of those after every round, on the first `count` images of a plan.

    Its classes are VOC's, in their order.
    What the store lacks is made; segmenters that are there are not trained again.

    Args:
        train_on: how many of its first images a segmenter is trained on; None is `count`.
    """
    train_on = count if train_on is None else train_on
    report = Report("self-training", "")
    score = _scorer(judge, count)
    _fill(plan, max(count, train_on), device)
    scored = [score(plan)]
    annotators = [plan.annotator_reference]
    current = plan
    for number in range(1, rounds + 1):
        with bar(config.steps, "step", f"round {number}, training steps") as progress:
            folder = ensure_segmenter(
                current, SPLIT, train_on, config, teacher=plan, device=device, report=progress.update
            )
        found = find_annotator(str(folder), find_generator(plan.generator_reference))
        current = replace(plan, annotator=found.name, annotator_revision=None, annotator_hash=found.hash)
        _fill(current, count if number == rounds else max(count, train_on), device)
        scored.append(score(current))
        annotators.append(f"segmenter of round {number}")
    rows = [
        [number, name, one.every.miou(), one.every.miou() - scored[0].every.miou(), one.voided.miou(),
         one.voided.void_share(), one.every.accuracy()]
        for number, (name, one) in enumerate(zip(annotators, scored, strict=True))
    ]  # fmt: skip
    columns = ["round", "annotator", "mIoU, every pixel", "gain", "mIoU, void left out", "void share", "pixel accuracy"]
    report.tables.append(Table(f"{count} generated images, against the judge", columns, rows))
    ious = [one.every.iou() for one in scored]
    by_class = [[name, *(float(iou[i]) for iou in ious)] for i, name in enumerate(NAMES)]
    report.tables.append(Table("IoU a class", ["class", *(f"round {i}" for i in range(len(scored)))], by_class))
    for number, one in enumerate(scored):
        report.figures[f"round_{number}_miou"] = one.every.miou()
        report.figures[f"round_{number}_void_share"] = one.voided.void_share()
        report.figures[f"round_{number}_miou_without_void"] = one.voided.miou()
    report.figures["gain_of_one_round"] = scored[1].every.miou() - scored[0].every.miou()
    report.notes.append(
        f"The segmenter is trained on the first {train_on} images and the labels of the round before, the very images "
        "that it labels again."
    )
    return Outcome(report)


def _scorer(judge: Judge, count: int) -> Callable[[GenerationPlan], Scored]:
    """Scores the stored labels of a plan; the judge segments every shard once."""
    truths: dict[int, torch.Tensor] = {}

    def score(plan: GenerationPlan) -> Scored:
        scored = Scored(Confusion(len(NAMES)), Confusion(len(NAMES)))
        images, labels = stores(plan)
        for shard in plan.shards(count):
            if shard not in truths:
                pngs = images.read(SPLIT, shard, ["image"]).column("image").to_pylist()
                truths[shard] = judge.segment(torch.stack([torch.from_numpy(decode_png(p["bytes"])) for p in pngs]))
            rows = labels.read(SPLIT, shard, ["full", "label"]).to_pylist()[: count - shard * plan.shard_size]
            for row, truth in zip(rows, truths[shard].cpu().numpy(), strict=False):
                scored.every.add(decode_png(row["full"]["bytes"]), truth)
                scored.voided.add(decode_png(row["label"]["bytes"]), truth)
        return scored

    return score


def _fill(plan: GenerationPlan, count: int, device: str) -> None:
    work = pending(plan, {SPLIT: count})
    with (
        Engine(plan, device=device) as engine,
        bar(len(work) * plan.shard_size, "image", f"images labelled by {plan.annotator}") as progress,
    ):
        engine.fill({SPLIT: count}, progress.update, work=work)

"""How often the judge finds the requested classes in generated images."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import numpy as np

from dataset_dm.diffusion import Backbone
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.options import open_backbone, open_judge
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import ImageBatch, Renders, drawn, renders
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.prompt_adherence import LEAST_SHARE, PromptAdherence, class_shares
from dataset_dm.metrics.report import Report, Table, percent
from dataset_dm.miniature.judge import Judge
from dataset_dm.visualization.sheet import Row

CONTROL = 200  # renders at most on which the judge is checked
MISSES = 12  # images shown of which a class is missing


def run(args: argparse.Namespace) -> Outcome:
    """Generate images and look for the requested classes."""
    return measure_found(open_backbone(args), open_judge(args), args.num, args.batch, args.seed)


def measure_found(backbone: Backbone, judge: Judge, count: int, batch: int, seed: int) -> Outcome:
    """How often the judge finds the requested classes in generated images."""
    adherence, misses = in_generated(judge, drawn(backbone, count, batch, seed=seed), count)
    few = min(count, CONTROL)
    control = in_renders(judge, renders(few, batch, size=backbone.native_size), few)
    report = Report("found", "", figures={**adherence.figures(), "judge_finds_on_renders": control.each()})
    kinds = [[f"{k} class(es)", adherence.images[k], adherence.rate(k)] for k in sorted(adherence.images)]
    report.tables.append(Table("prompts", ["prompt names", "images", "all found"], kinds))
    report.tables.append(adherence.table("requested classes found"))
    report.notes += [
        f"found: the judge gives the class at least {percent(LEAST_SHARE)} of the image; two classes: both found.",
        "judge_finds_on_renders: the same judge on renders that truly show the class, the most that can be found.",
    ]
    return Outcome(report, {}, {"missed.png": ("first misses, as the judge reads them", _missed(judge, misses))})


def in_generated(
    judge: Judge, batches: Iterable[ImageBatch], count: int
) -> tuple[PromptAdherence, list[tuple[ImageBatch, int]]]:
    """Counts over generated images, and the first misses as (batch, place in it)."""
    adherence, misses = PromptAdherence(), []
    with bar(count, "image", "generated images judged") as progress:
        for batch in batches:
            maps = judge.segment(batch.images).cpu().numpy()
            for i, class_map in enumerate(maps):
                if not all(adherence.add(batch.named[i], class_map)) and len(misses) < MISSES:
                    misses.append((batch, i))
            progress.update(len(batch))
    return adherence, misses


def in_renders(judge: Judge, batches: Iterable[Renders], count: int) -> PromptAdherence:
    """The control: how often the judge finds what truly fills at least LEAST_SHARE of a render.

    No generator can score higher than this.
    """
    adherence = PromptAdherence()
    with bar(count, "render", "renders judged") as progress:
        for batch in batches:
            maps = judge.segment(batch.inputs.images).cpu().numpy()
            for class_map, truth in zip(maps, batch.truth, strict=True):
                shown = np.flatnonzero(class_shares(truth, len(VOC_CLASSES)) >= LEAST_SHARE)
                adherence.add(shown.tolist(), class_map)
            progress.update(len(batch.inputs))
    return adherence


def _missed(judge: Judge, misses: list[tuple[ImageBatch, int]]) -> list[Row]:
    rows = []
    for batch, i in misses:
        class_map = judge.segment(batch.images[i : i + 1])[0].cpu().numpy()
        image, number = batch.images[i].numpy(), batch.seeds[i] & 0xFFFFFFFF
        rows.append(Row(image, class_map, batch.prompts[i], None, number))
    return rows

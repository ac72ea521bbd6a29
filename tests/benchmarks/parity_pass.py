"""Labels from a pass of their own on the final latents against labels from the sampler's last step, which is free.

`python -m tests.benchmarks.parity_pass`
"""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import dataclass, replace

import torch

from dataset_dm.annotators.p_decoder import PDecoderAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import Backbone, TapRequest, encode_classes, read_features, sample
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.options import add_options, open_judge, open_pair
from dataset_dm.evaluation.outcome import Outcome, check_folder, deliver
from dataset_dm.evaluation.sources import NAMES, positions
from dataset_dm.hypercolumns import Features
from dataset_dm.labels.classes import class_words
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.report import Report
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge
from dataset_dm.prompts import Templates


@dataclass(frozen=True)
class Readings:
    """Class maps against the judge on the same images, every pixel."""

    parity: Confusion
    last_step: Confusion


def compare(
    backbone: Backbone, annotator: PDecoderAnnotator, judge: Judge, *, count: int, batch: int, seed: int
) -> Readings:
    """Labels of `count` generated images, prompted, read both ways by the same decoder.

    The sampler's last step has another noise level than the decoder was trained at, and whatever guidance made of the
    latents on the way.
    """
    class_text = encode_classes(backbone, class_words(VOC_CLASSES))
    prompts, spec = Templates(VOC_CLASSES), annotator.spec
    found = Readings(Confusion(len(NAMES)), Confusion(len(NAMES)))
    recorded = TapRequest(
        levels=spec.names("unet") + spec.names("vae"), class_text=class_text, attention=spec.attention
    )
    with bar(count, "image", "generated images read both ways") as progress:
        for start in range(0, count, batch):
            indices = range(start, min(start + batch, count))
            asked = [prompts.prompt(seed, "train", i) for i in indices]
            texts, seeds = [one.text for one in asked], [(seed << 32) + i for i in indices]
            drawn = sample(backbone, texts, seeds, taps=recorded)
            truth = judge.segment(drawn.images).cpu().numpy()
            named = [positions(one.classes or ()) for one in asked]
            parity = read_features(backbone, drawn.latents, texts, class_text, spec, seeds, images=drawn.images)
            free = Features(
                {**parity.levels, **drawn.levels},
                drawn.class_attention,
                class_text.mean,
                spec,
                None if parity.contrast is None else torch.full_like(parity.contrast, torch.nan),
            )
            images = ImageBatch(images=drawn.images, prompts=texts, seeds=seeds, named=named, latents=drawn.latents)
            request = AnnotationRequest(batch=images, classes=VOC_CLASSES, requested=named, tasks=[SEMANTIC.name])
            for confusion, features in ((found.parity, parity), (found.last_step, free)):
                said = annotator.annotate(replace(request, reading=features))
                for i, one in enumerate(said):
                    confusion.add(one.full, truth[i])
            progress.update(len(texts))
    return found


def measure_parity_pass(
    backbone: Backbone, annotator: PDecoderAnnotator, judge: Judge, *, count: int, batch: int, seed: int
) -> Outcome:
    """mIoU against the judge of the same images, read in a pass of their own and in the sampler's last step."""
    found = compare(backbone, annotator, judge, count=count, batch=batch, seed=seed)
    figures = {"parity_pass_miou": found.parity.miou(), "last_step_miou": found.last_step.miou()}
    report = Report("reading", "", figures=figures)
    report.notes.append("The same decoder, trained at the parity pass's noise level; truth is the judge.")
    return Outcome(report)


def main(words: list[str] | None = None) -> int:
    """Print both figures; with --out write report.json and report.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, "num", "batch", "generator", "annotator", "judge", "seed", "device", "out")
    args = parser.parse_args(words)
    check_folder(args.out)
    backbone, annotator = open_pair(args)
    outcome = measure_parity_pass(
        backbone, annotator, open_judge(args), count=args.num, batch=args.batch, seed=args.seed
    )
    deliver(outcome, shlex.join(["python", "-m", "tests.benchmarks.parity_pass", *sys.argv[1:]]), args)
    return 0


if __name__ == "__main__":
    sys.exit(main())

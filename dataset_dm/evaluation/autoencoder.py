"""What the generator's autoencoder loses: a bound on its images and on the labels that latents can hold."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dataset_dm.diffusion import Backbone, decode_latents, encode_images, to_uint8
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.options import open_backbone, open_judge
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES, Renders, renders
from dataset_dm.metrics.report import Report, Table
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.metrics.worst_images import Worst
from dataset_dm.miniature.judge import Judge
from dataset_dm.visualization.sheet import Row


def run(args: argparse.Namespace) -> Outcome:
    """Encode and decode held-out renders."""
    return measure_autoencoder(open_backbone(args), open_judge(args), args.num, args.batch)


def measure_autoencoder(backbone: Backbone, judge: Judge, count: int, batch: int) -> Outcome:
    """PSNR of decoded renders, and how much worse the judge reads them."""
    fidelity, worst = reconstruct(backbone, judge, renders(count, batch, size=backbone.native_size), count)
    report = Report("autoencoder", "", figures=fidelity.figures(), tables=[fidelity.table()])
    report.notes.append("PSNR is against the render before its sensor noise: what the image should be.")
    title = "worst reconstructions: image after the autoencoder, truth, the judge's reading"
    return Outcome(report, {}, {"worst.png": (title, worst.rows())})


@dataclass
class Fidelity:
    """Sums over images."""

    psnr: list[float] = field(default_factory=list)  # dB of each image, against the render before its sensor noise
    squares: float = 0.0  # of all errors in 0..255, for the pooled figure
    values: int = 0
    originals: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))
    copies: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))

    def add(self, copy: UInt8[np.ndarray, "h w 3"], clean: UInt8[np.ndarray, "h w 3"]) -> float:
        """Count one image; returns its PSNR in dB."""
        error = copy.astype(np.float64) - clean
        self.squares += float((error**2).sum())
        self.values += error.size
        self.psnr.append(psnr(float((error**2).mean())))
        return self.psnr[-1]

    def figures(self) -> dict[str, float]:
        """The numbers that a report's figures hold."""
        original, copy = self.originals.miou(), self.copies.miou()
        return {
            "psnr_db": float(np.mean(self.psnr)),
            "psnr_db_of_pooled_error": psnr(self.squares / self.values),
            "judge_miou_originals": original,
            "judge_miou_reconstructions": copy,
            "judge_miou_ratio": copy / original if original else float("nan"),
        }

    def table(self) -> Table:
        """The judge's IoU by class on originals and on reconstructions."""
        rows = zip(NAMES, self.originals.iou().tolist(), self.copies.iou().tolist(), strict=True)
        return Table("judge on renders, IoU", ["class", "originals", "reconstructions"], [list(row) for row in rows])


def psnr(mean_square: float) -> float:
    """Peak signal to noise ratio in dB of a mean squared error in 0..255²; infinite without error."""
    return 10 * math.log10(255**2 / mean_square) if mean_square else float("inf")


def reconstruct(backbone: Backbone, judge: Judge, batches: Iterable[Renders], count: int) -> tuple[Fidelity, Worst]:
    """Encode and decode renders; returns the figures and the worst reconstructions with the judge's class maps."""
    fidelity, worst, number = Fidelity(), Worst(), 0
    with bar(count, "render", "renders reconstructed") as progress:
        for batch in batches:
            images, prompts, seeds = batch.inputs.images, batch.inputs.prompts, batch.inputs.seeds
            copies = to_uint8(decode_latents(backbone, encode_images(backbone, images)))
            original = judge.segment(images).cpu().numpy()
            read = judge.segment(copies).cpu().numpy()
            for i, copy in enumerate(copies.numpy()):
                decibels = fidelity.add(copy, batch.clean[i])
                fidelity.originals.add(original[i], batch.truth[i])
                fidelity.copies.add(read[i], batch.truth[i])
                note = f"{decibels:.1f} dB"
                row = Row(copy, read[i], prompts[i], None, seeds[i], batch.truth[i], note)
                worst.add(decibels, number, row)
                number += 1
            progress.update(len(images))
    return fidelity, worst

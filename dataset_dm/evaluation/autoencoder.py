"""What the generator's autoencoder loses: it bounds both the pictures and the labels that can be read from latents."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from dataset_dm.diffusion import Backbone, decode_latents, encode_images, to_uint8
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.sources import NAMES, Renders
from dataset_dm.metrics.report import Table
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge
from dataset_dm.visualization.sheet import Row


@dataclass
class Fidelity:
    """Sums over pictures."""

    psnr: list[float] = field(default_factory=list)  # dB a picture, against the render before its sensor noise
    squares: float = 0.0  # of all errors in 0..255, for the pooled figure
    values: int = 0
    originals: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))
    copies: Confusion = field(default_factory=lambda: Confusion(len(NAMES)))

    def add(self, copy: np.ndarray, clean: np.ndarray) -> float:
        """Count one picture, uint8 [H W 3] each; returns its PSNR in dB."""
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
        """The judge's IoU a class on originals and on reconstructions."""
        rows = zip(NAMES, self.originals.iou().tolist(), self.copies.iou().tolist(), strict=True)
        return Table("judge on renders, IoU", ["class", "originals", "reconstructions"], [list(row) for row in rows])


def psnr(mean_square: float) -> float:
    """Peak signal to noise ratio in dB of a mean squared error in 0..255²; infinite without error."""
    return 10 * math.log10(255**2 / mean_square) if mean_square else float("inf")


def measure(
    backbone: Backbone, judge: Judge, batches: Iterable[Renders], count: int, keep: int = 12
) -> tuple[Fidelity, list[Row]]:
    """Encode and decode renders; returns the figures and the worst reconstructions with the judge's reading of them."""
    fidelity, worst = Fidelity(), []
    with bar(count, "render", "renders reconstructed") as progress:
        for batch in batches:
            copies = to_uint8(decode_latents(backbone, encode_images(backbone, batch.pictures.images)))
            seen = judge.segment(batch.pictures.images).cpu().numpy()
            read = judge.segment(copies).cpu().numpy()
            for i, copy in enumerate(copies.numpy()):
                decibels = fidelity.add(copy, batch.clean[i])
                fidelity.originals.add(seen[i], batch.truth[i])
                fidelity.copies.add(read[i], batch.truth[i])
                note = f"{decibels:.1f} dB"
                row = Row(copy, read[i], batch.pictures.prompts[i], None, batch.pictures.seeds[i], batch.truth[i], note)
                worst.append((decibels, row))
            worst = sorted(worst, key=lambda entry: entry[0])[:keep]
            progress.update(len(batch.pictures))
    return fidelity, [row for _, row in worst]

"""The comparison: a segmenter of like size trained from scratch on the very pictures the decoder was trained on.

It sees the images alone, no generator. What the decoder is better by is what the generator's features are worth.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dataset_dm.evaluation.progress import Progress
from dataset_dm.evaluation.semantic import Confusion
from dataset_dm.evaluation.sources import NAMES, Renders, renders
from dataset_dm.miniature.judge import Judge, JudgeNet

SHAPE = (24, 40, 64, 96, 128)  # relative widths of the five levels of a plain U-Net
GROUPS = 8  # of its GroupNorms: widths are multiples


@dataclass(frozen=True, kw_only=True)
class BaselineConfig:
    """How the baseline is trained.

    Args:
        images: labelled renders of the split "train" (the decoder's own number).
        validation: renders of the split "validation" that choose the step whose weights are kept.
        parameters: size to match, the decoder's.
        steps, batch, learning_rate, weight_decay: AdamW with a short warm-up and a cosine to zero.
        smallest_crop: side of the smallest random crop, as a share of the picture; crops are enlarged again.
        looks: times that the validation set is looked at, evenly over the steps.
        seed: of weights and augmentation.
    """

    images: int = 100
    validation: int = 100
    parameters: int = 2_000_000
    steps: int = 3000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    smallest_crop: float = 0.5
    looks: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("images", "validation", "parameters", "steps", "batch", "looks"):
            if getattr(self, name) < 1:
                raise ValueError(f"BaselineConfig: {name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.smallest_crop <= 1:
            raise ValueError(f"BaselineConfig: smallest_crop must be in 0..1, got {self.smallest_crop}")


@dataclass
class Trained:
    """A trained baseline: the network behind the judge's interface, its history and what it took."""

    model: Judge
    parameters: int
    validation: list[tuple[int, float]] = field(default_factory=list)  # (step, mIoU)
    best_step: int = 0
    seconds: float = 0.0


def widths_for(parameters: int) -> tuple[int, ...]:
    """Widths of the U-Net whose size is closest to `parameters`."""

    def scaled(factor: float) -> tuple[int, ...]:
        return tuple(max(GROUPS, round(width * factor / GROUPS) * GROUPS) for width in SHAPE)

    candidates = {scaled(math.exp(power / 20)) for power in range(-30, 41)}
    with torch.device("meta"):  # shapes only: nothing is allocated
        sizes = {widths: count_parameters(JudgeNet(len(NAMES), widths)) for widths in sorted(candidates)}
    return min(sizes, key=lambda widths: abs(sizes[widths] - parameters))


def count_parameters(module: torch.nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def train_baseline(config: BaselineConfig, device: str | torch.device = "cpu") -> Trained:
    """Train the segmenter from scratch; the same config gives the same weights on the same machine."""
    started = time.monotonic()
    train, validation = _load("train", config.images), _load("validation", config.validation)
    images, truth = train.pictures.images.to(device), torch.from_numpy(train.truth).to(device)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        net = JudgeNet(len(NAMES), widths_for(config.parameters)).to(device)
    trained = Trained(Judge(net, device), count_parameters(net))
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    warm = max(config.steps // 50, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * step / config.steps))
    )
    rng, best, kept = np.random.default_rng(config.seed), -1.0, {}
    look_at = {math.ceil(config.steps * i / config.looks) for i in range(1, config.looks + 1)}
    with Progress("baseline steps", config.steps) as progress:
        for step in range(1, config.steps + 1):
            chosen = torch.from_numpy(rng.choice(config.images, min(config.batch, config.images), replace=False))
            pixels, target = augment(images[chosen], truth[chosen], rng, config.smallest_crop)
            loss = F.cross_entropy(net.train()(pixels), target)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step(), schedule.step()
            if step in look_at:
                trained.validation.append((step, score(trained.model, validation).miou()))
                if trained.validation[-1][1] > best:
                    best, trained.best_step = trained.validation[-1][1], step
                    kept = {name: value.detach().clone() for name, value in net.state_dict().items()}
            progress.step()
    net.load_state_dict(kept)
    net.eval()
    trained.seconds = time.monotonic() - started
    return trained


def augment(images: Tensor, truth: Tensor, rng: np.random.Generator, smallest: float) -> tuple[Tensor, Tensor]:
    """Random flips and crops, each enlarged to the full size: images bilinear, labels nearest.

    Args:
        images: uint8 [b H W 3].
        truth: uint8 [b H W].

    Returns:
        float [b 3 H W] in -1..1 and int64 [b H W].
    """
    height, width = truth.shape[1:]
    pixels = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    out_pixels, out_truth = [], []
    for i in range(len(images)):
        side = rng.uniform(smallest, 1)
        h, w = max(1, round(height * side)), max(1, round(width * side))
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        piece, label = pixels[i : i + 1, :, y : y + h, x : x + w], truth[i : i + 1, None, y : y + h, x : x + w]
        if rng.random() < 0.5:
            piece, label = piece.flip(-1), label.flip(-1)
        out_pixels.append(F.interpolate(piece, (height, width), mode="bilinear", align_corners=False))
        out_truth.append(F.interpolate(label.float(), (height, width), mode="nearest")[:, 0].long())
    return torch.cat(out_pixels), torch.cat(out_truth)


def score(model: Judge, test: Renders, batch: int = 25) -> Confusion:
    """Confusion of a segmenter on renders, every pixel."""
    model.net.eval()
    confusion = Confusion(len(NAMES))
    for start in range(0, len(test.truth), batch):
        part = slice(start, start + batch)
        confusion.add(model.segment(test.pictures.images[part]).cpu().numpy(), test.truth[part])
    return confusion


def _load(split: str, count: int) -> Renders:
    return next(iter(renders(count, count, split=split)))

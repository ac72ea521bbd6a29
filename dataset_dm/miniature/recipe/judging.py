"""Training of the judge on labelled renders."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dataset_dm.miniature.judge import JudgeNet
from dataset_dm.miniature.recipe.batches import Batches, with_sensor_noise
from dataset_dm.miniature.recipe.trainer import train
from dataset_dm.optimization.config import LoopConfig


def train_judge(net: JudgeNet, batches: Batches, config: LoopConfig, folder: Path, *, compiled: bool = False) -> None:
    """Trains `net` in place on images and class maps."""
    net.to(batches.device)
    forward = torch.compile(net) if compiled else net

    def loss(index: int, generator: torch.Generator) -> dict[str, Tensor]:
        images, classes = batches.draw(config.batch, generator)
        images = with_sensor_noise(_soften(_shade(images, generator), generator), generator)
        logits = forward(images)
        entropy = F.cross_entropy(logits.float(), classes, label_smoothing=0.02)
        foreground = (classes > 0).float()
        hit = ((logits.argmax(1) == classes).float() * foreground).sum() / foreground.sum().clamp(min=1)
        return {"loss": entropy, "foreground": hit}

    train({"judge": net}, loss, config, folder)


def _shade(images: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness and contrast a little off, image by image."""
    draw = torch.rand((2, len(images), 1, 1, 1), generator=generator, device=images.device)
    return images * (0.8 + 0.4 * draw[0]) + 0.2 * (draw[1] - 0.5)


def _soften(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur, image by image between none and a 3 x 3 box: the judge must not depend on crispness."""
    share = torch.rand((len(images), 1, 1, 1), generator=generator, device=images.device)
    blurred = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images + share * (blurred - images)

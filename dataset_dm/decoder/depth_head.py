"""Depth head: metric depth, how sure it is, and where depth is unknown (sky, holes of a sensor)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, convex_upsample, coordinates
from dataset_dm.decoder.config import PDecoderConfig

STRIDE = 4
FACTOR = math.log(1.25)  # δ1's factor; a confidence speaks of it


@dataclass(frozen=True)
class DepthOutput:
    """Predictions at the picture's size, each [b H W].

    Args:
        log_depth: natural logarithm of metres.
        log_scale: logarithm of the expected absolute error of `log_depth` (scale of a Laplace distribution).
        known: logit that the depth is known at all.
    """

    log_depth: Tensor
    log_scale: Tensor
    known: Tensor

    def metres(self) -> Tensor:
        """Depth [b H W] in metres; 0 where it is more likely unknown."""
        return torch.where(self.known >= 0, self.log_depth.exp(), 0.0)

    def confidence_logit(self) -> Tensor:
        """Log-odds [b H W] that the depth is within a factor of 1.25: 1 - exp(-ln 1.25 / scale)."""
        ratio = FACTOR * (-self.log_scale).exp()
        return torch.log(torch.expm1(ratio.clamp(1e-4, 15)))  # log(p / (1 - p)) with p = 1 - exp(-ratio)


class DepthHead(nn.Module):
    """Two residual blocks at stride 4 that know where they are and what the whole picture is like; then the edges.

    Args:
        config: widths and the range of depths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine = config.width_at(STRIDE), config.width_at(1)
        nearest, farthest = config.depth_range
        self.low, self.high = math.log(nearest / 1.2), math.log(farthest * 1.2)
        self.enter = nn.Conv2d(width + 2, width, 1)
        self.whole = nn.Sequential(nn.Linear(config.width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.Sequential(
            ResidualBlock(width, config.groups, config.dropout),
            ResidualBlock(width, config.groups, config.dropout),
            nn.GroupNorm(config.groups, width),
            nn.SiLU(),
        )
        self.leave = nn.Conv2d(width, 3, 1)
        self.neighbours = nn.Conv2d(fine, 9, 1)
        self.detail = nn.Conv2d(fine, 3, 1)
        nn.init.zeros_(self.detail.weight)
        nn.init.zeros_(self.detail.bias)

    def forward(self, fused: dict[int, Tensor]) -> DepthOutput:
        """Depth from the fused maps alone; no class is asked for."""
        x = fused[STRIDE]
        x = self.enter(torch.cat([x, coordinates(x)], dim=1))
        x = x + self.whole(fused[8].mean((-2, -1)))[..., None, None]
        maps = convex_upsample(self.leave(self.blocks(x)), self.neighbours(fused[1])) + self.detail(fused[1])
        depth, scale, known = maps.unbind(1)
        log_depth = self.low + (self.high - self.low) * functional.sigmoid(depth)
        return DepthOutput(log_depth, scale.clamp(-6, 3) - 2, known)

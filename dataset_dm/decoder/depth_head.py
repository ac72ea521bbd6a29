"""Depth head: metric depth, its expected error, and where depth is unknown (sky, sensor holes)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import convex_upsample
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.trunk import STRIDE, SceneTrunk

FACTOR = math.log(1.25)  # the factor of δ1, to which the confidence refers


@dataclass(frozen=True)
class DepthOutput:
    """Predictions at image size, each [b H W].

    Args:
        log_depth: natural logarithm of metres.
        log_scale: logarithm of the expected absolute error of `log_depth` (scale of a Laplace distribution).
        known: logit that the depth is known at all.
    """

    log_depth: Float[Tensor, "b H W"]
    log_scale: Float[Tensor, "b H W"]
    known: Float[Tensor, "b H W"]

    def confidence_logit(self) -> Float[Tensor, "b H W"]:
        """Log-odds [b H W] that the depth is within a factor of 1.25: 1 - exp(-ln 1.25 / scale)."""
        ratio = FACTOR * (-self.log_scale).exp()
        return torch.log(torch.expm1(ratio.clamp(1e-4, 15)))  # log(p / (1 - p)) with p = 1 - exp(-ratio)


class DepthHead(nn.Module):
    """Depth from a scene trunk of its own, edges from the finest fused map, one offset for the whole scene.

    With a trunk shared with instances and poses the error was a third larger than that of a depth-only decoder.

    Args:
        config: widths and the range of depths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine = config.width_at(STRIDE), config.width_at(1)
        nearest, farthest = config.depth_range
        self.low, self.high = math.log(nearest / 1.2), math.log(farthest * 1.2)
        self.trunk = SceneTrunk(config)
        self.leave = nn.Conv2d(width, 3, 1)
        self.neighbours = nn.Conv2d(fine, 9, 1)
        self.detail = nn.Conv2d(fine, 3, 1)
        self.scale = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, 1))
        for layer in (self.detail, self.scale[-1]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, fused: dict[int, Float[Tensor, "b _ _ _"]]) -> DepthOutput:
        """Depth from the fused maps; class text is not used."""
        x = self.trunk(fused)
        maps = convex_upsample(self.leave(x), self.neighbours(fused[1])) + self.detail(fused[1])
        depth, scale, known = maps.unbind(1)
        pooled = torch.cat([x.mean((-2, -1)), x.amax((-2, -1))], dim=1)
        depth = depth + self.scale(pooled)[..., None]
        log_depth = self.low + (self.high - self.low) * functional.sigmoid(depth)
        return DepthOutput(log_depth, scale.clamp(-6, 3) - 2, known)

"""Scene trunk: shared by instances and poses; adds each cell's coordinates and the mean of the whole image."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dataset_dm.decoder.blocks import ResidualBlock, coordinates
from dataset_dm.decoder.config import PDecoderConfig

STRIDE = 4


class SceneTrunk(nn.Module):
    """Two residual blocks at stride 4 that read each cell's coordinates and the mean of the whole image.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width = config.width_at(STRIDE)
        self.enter = nn.Conv2d(width + 2, width, 1)
        self.whole = nn.Sequential(nn.Linear(config.width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.Sequential(
            ResidualBlock(width, config.groups, config.dropout),
            ResidualBlock(width, config.groups, config.dropout),
            nn.GroupNorm(config.groups, width),
            nn.SiLU(),
        )

    def forward(self, fused: dict[int, Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b c h4 w4"]:
        """[b c h w] at stride 4 from the fused maps."""
        x = fused[STRIDE]
        x = self.enter(torch.cat([x, coordinates(x)], dim=1))
        return self.blocks(x + self.whole(fused[8].mean((-2, -1)))[..., None, None])

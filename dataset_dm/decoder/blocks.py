"""Small building blocks; GroupNorm only, so a sample's result never depends on its batch or on train/eval order."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LIMIT = 8.0  # standard deviations; a rare spike in a generator's map must not drown the rest


class Standardise(nn.Module):
    """(x - mean) / std with fixed statistics a channel, measured once on the training features.

    Unlike a norm over the sample it keeps the strength of a map, which tells whether anything is there at all.
    Channels lie on axis ``axis``.
    """

    def __init__(self, channels: int, axis: int = 1) -> None:
        super().__init__()
        self.axis = axis
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))

    @torch.no_grad()
    def fit(self, x: Float[Tensor, "*axes"]) -> None:
        """Takes mean and standard deviation a channel from these maps."""
        flat = x.movedim(self.axis, 0).flatten(1).float()
        self.mean.copy_(flat.mean(1))
        self.std.copy_(flat.std(1).clamp_min(1e-4))

    def forward(self, x: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
        shape = [1] * x.ndim
        shape[self.axis] = -1
        return ((x - self.mean.view(shape)) / self.std.view(shape)).clamp(-LIMIT, LIMIT)


class ResidualBlock(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x)))))): [b c h w] → [b c h w]."""

    def __init__(self, channels: int, groups: int, dropout: float = 0.0, convolutions: int = 2) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for index in range(convolutions):
            steps += [nn.GroupNorm(groups, channels), nn.SiLU()]
            if index == convolutions - 1 and dropout:
                steps.append(nn.Dropout2d(dropout))
            steps.append(nn.Conv2d(channels, channels, 3, padding=1))
        self.steps = nn.Sequential(*steps)
        nn.init.zeros_(self.steps[-1].weight)  # starts as the identity: deep stacks train from the first step
        nn.init.zeros_(self.steps[-1].bias)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.steps(x)


def resize(x: Float[Tensor, "b c h w"], size: tuple[int, int]) -> Float[Tensor, "b c H W"]:
    """[b c h w] at ``size``: bilinear when it grows, means of cells when it shrinks, the same tensor if it fits."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    if x.shape[-1] > size[1]:
        return functional.adaptive_avg_pool2d(x, size)
    return functional.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def convex_upsample(x: Float[Tensor, "b n h w"], weights: Float[Tensor, "b 9 H W"]) -> Float[Tensor, "b n H W"]:
    """Enlarges maps so that every new pixel is a weighted mean of the 3 × 3 coarse cells around it.

    The weights are predicted from fine features, so edges follow the image, and they are shared by all channels, so
    channels (classes, queries) stay independent of each other. After the upsampling of Teed & Deng, "RAFT", 2020.

    Args:
        x: coarse maps [b n h w].
        weights: unnormalised weights [b 9 H W]; H/h and W/w are one whole factor.

    Returns:
        [b n H W].
    """
    factor = weights.shape[-2] // x.shape[-2]
    # work by coarse cell: 9 neighbours and factor² new pixels each, so no map of full size is stored nine times
    share = rearrange(weights.softmax(1), "b n (h y) (w x) -> b h w n (y x)", y=factor, x=factor)
    padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    around = rearrange(padded.unfold(2, 3, 1).unfold(3, 3, 1), "b c h w dy dx -> b h w c (dy dx)")
    return rearrange(around @ share, "b h w c (y x) -> b c (h y) (w x)", y=factor, x=factor)


def coordinates(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 2 h w"]:
    """Where each cell of [b c h w] lies, from -1 to 1: [b 2 h w], down and to the right."""
    batch, _, height, width = x.shape
    down = torch.linspace(-1, 1, height, dtype=x.dtype, device=x.device)
    right = torch.linspace(-1, 1, width, dtype=x.dtype, device=x.device)
    return torch.stack(torch.meshgrid(down, right, indexing="ij")).expand(batch, 2, height, width)

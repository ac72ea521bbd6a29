"""Guided filter: enlarges maps of a coarse grid so that they follow the edges of the image.

He, Sun and Tang, "Guided Image Filtering", 2013, with the colour image as guide, in the fast form of He and Sun 2015:
in every window the map is fitted as a linear function of the colours, on a small copy of the image; the functions'
coefficients are then enlarged and applied to the image itself. Closed form, nothing is trained.
"""

from __future__ import annotations

import torch
from einops import einsum, rearrange
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

# The windows: RADIUS cells to every side, on a grid FINER times as fine as the maps'.
FINER, RADIUS = 2, 2
# Least variance of a colour in 0..1 at an edge.
LEAST = 1e-3


def follow_edges(maps: Float[Tensor, "k h w"], image: UInt8[Tensor, "H W 3"]) -> Float[Tensor, "k H W"]:
    """Maps at the image's size, with borders where its colours have borders; may exceed the range of `maps` slightly.

    Args:
        image: RGB, at least as large as the maps.

    >>> follow_edges(torch.rand(2, 4, 4), torch.zeros(32, 32, 3, dtype=torch.uint8)).shape
    torch.Size([2, 32, 32])
    """
    size = (image.shape[0], image.shape[1])
    guide = rearrange(image, "H W c -> c H W").to(maps) / 255
    grid = (min(FINER * maps.shape[-2], size[0]), min(FINER * maps.shape[-1], size[1]))
    small = functional.interpolate(guide[None], size=grid, mode="area")[0]
    coarse = functional.interpolate(maps[None], size=grid, mode="bicubic", align_corners=False)[0]
    slope, offset = _fit(coarse, small)
    enlarged = functional.interpolate(
        torch.cat([rearrange(slope, "k c h w -> (k c) h w"), offset])[None], size=size, mode="bilinear"
    )[0]
    slope, offset = enlarged.split([3 * len(maps), len(maps)])
    return einsum(rearrange(slope, "(k c) H W -> k c H W", c=3), guide, "k c H W, c H W -> k H W") + offset


def _fit(maps: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
    """Each cell's fit of maps [k h w] by colours [c h w], mean of its windows: slopes [k c h w], offsets [k h w]."""
    mean, colour = _box(maps), _box(guide)
    both = _box(einsum(maps, guide, "k h w, c h w -> k c h w")) - einsum(mean, colour, "k h w, c h w -> k c h w")
    spread = _box(einsum(guide, guide, "c h w, d h w -> c d h w")) - einsum(colour, colour, "c h w, d h w -> c d h w")
    least = LEAST * torch.eye(len(guide)).to(guide)
    solved = torch.linalg.solve(rearrange(spread, "c d h w -> h w c d") + least, rearrange(both, "k c h w -> h w c k"))
    slope = rearrange(solved, "h w c k -> k c h w")
    offset = mean - einsum(slope, colour, "k c h w, c h w -> k h w")
    return _box(slope), _box(offset)


def _box(values: Tensor) -> Tensor:
    """Mean over each cell's window [… h w]; windows end at the border."""
    flat = values.reshape(1, -1, *values.shape[-2:])
    mean = functional.avg_pool2d(flat, 2 * RADIUS + 1, stride=1, padding=RADIUS, count_include_pad=False)
    return mean.reshape(values.shape)

"""Pose head: 17 keypoints for every detected person, read in a window around that person.

The maps of all strides are sampled on a grid over the window, so that every person has the same size there, whether
filling the image or a tenth of it: a hundred images hold few people, and each one trains all sizes. Top-down, after
Xiao et al., "Simple Baselines for Human Pose Estimation", 2018; the window is cut from maps instead of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, coordinates, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.trunk import STRIDE
from dataset_dm.labels.coco import KEYPOINTS

CELLS = 48  # rows and columns of a window
SIDE = 1.4  # side of a window over the longer side of the visible mask: hidden joints lie farther out
SMALLEST = 16  # pixels; a window has at least this side
WIDTH = 32  # channels
# In training a window is drawn larger or smaller by up to the first, shifted by up to the second of its side, and does
# without the mask in the third part of all cases: masks that are found are not as good as true ones.
JITTER = (0.2, 0.08, 0.2)


@dataclass(frozen=True)
class PersonMaps:
    """Where the joints of n people are, each in a window of its own.

    Args:
        joints: logits [n 17 CELLS CELLS]; a softmax over the cells gives chances.
        visible: logits [n 17 3] of: not in the image, hidden, visible.
        windows: (top, left, side) in pixels of the image, float [n 3].
    """

    joints: Float[Tensor, "n 17 cells cells"]
    visible: Float[Tensor, "n 17 3"]
    windows: Float[Tensor, "n 3"]


@dataclass(frozen=True)
class PoseOutput:
    """What keypoints are read from; see :meth:`of`.

    Args:
        maps: stride → [b c h w].
        head: what knows how to read a person.
    """

    maps: dict[int, Tensor]
    head: PoseHead

    def of(self, image: int, masks: Bool[Tensor, "n H W"]) -> PersonMaps:
        """Joint maps of the people under masks [n H W]; none of them depends on the others."""
        return self.head.read(self, image, masks)


class PoseHead(nn.Module):
    """A small hourglass over a person's window.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        self.strides = (1, 2, STRIDE)
        channels = sum(config.width_at(stride) for stride in self.strides)
        self.enter = nn.Conv2d(channels + 4, WIDTH, 1)  # beside the maps: the mask, the image's extent, the place
        self.down = nn.ModuleList(ResidualBlock(WIDTH, config.groups, config.dropout) for _ in range(3))
        self.up = nn.ModuleList(ResidualBlock(WIDTH, config.groups, convolutions=1) for _ in range(2))
        self.leave = nn.Sequential(nn.GroupNorm(config.groups, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, len(KEYPOINTS), 1))
        self.visible = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 3 * len(KEYPOINTS)))

    def forward(self, scene: Float[Tensor, "b _ h4 w4"], fused: dict[int, Float[Tensor, "b _ _ _"]]) -> PoseOutput:
        """The scene trunk [b c h w] at stride 4 and finer fused maps; the rest is computed once people are known."""
        return PoseOutput({1: fused[1], 2: fused[2], STRIDE: scene}, self)

    def read(self, output: PoseOutput, image: int, masks: Bool[Tensor, "n H W"]) -> PersonMaps:
        """See :meth:`PoseOutput.of`."""
        size = (masks.shape[-2], masks.shape[-1])
        windows = windows_of(masks)
        shown = masks.float()[:, None]
        if self.training and len(masks):
            windows = jittered(windows, JITTER[0], JITTER[1])
            shown = shown * (torch.rand(len(masks), 1, 1, 1, device=masks.device) >= JITTER[2])
        grid = window_grid(windows, size)
        parts = [functional.grid_sample(shown, grid, align_corners=False)]
        parts.append(functional.grid_sample(torch.ones_like(shown), grid, align_corners=False))
        for stride in self.strides:
            maps = output.maps[stride][image].expand(len(masks), -1, -1, -1)
            parts.append(functional.grid_sample(maps, grid, align_corners=False))
        x = torch.cat(parts, dim=1)
        x = self.enter(torch.cat([x, coordinates(x)], dim=1))
        levels = []
        for depth, block in enumerate(self.down):
            x = block(x if not depth else functional.avg_pool2d(x, 2))
            levels.append(x)
        pooled = torch.cat([x.mean((-2, -1)), x.amax((-2, -1))], dim=1)
        for block, finer in zip(self.up, reversed(levels[:-1]), strict=True):
            x = block(finer + resize(x, (finer.shape[-2], finer.shape[-1])))
        visible = rearrange(self.visible(pooled), "n (j v) -> n j v", v=3)
        return PersonMaps(self.leave(x), visible, windows)


def windows_of(masks: Bool[Tensor, "n H W"]) -> Float[Tensor, "n 3"]:
    """Square windows (top, left, side) in pixels around each visible mask [n H W]: float [n 3]."""
    top, left, height, width = boxes(masks).unbind(-1)
    side = (torch.maximum(height, width) * SIDE).clamp_min(SMALLEST)
    return torch.stack([top + (height - side) / 2, left + (width - side) / 2, side], dim=-1)


def jittered(windows: Float[Tensor, "n 3"], scale: float, shift: float) -> Float[Tensor, "n 3"]:
    """Windows [n 3] with another side, by a factor up to 1 ± scale, and moved by up to `shift` of it."""
    luck = 2 * torch.rand_like(windows) - 1
    side = windows[:, 2] * (1 + scale * luck[:, 2])
    moved = windows[:, :2] + (windows[:, 2:] - side[:, None]) / 2 + shift * luck[:, :2] * side[:, None]
    return torch.cat([moved, side[:, None]], dim=-1)


def window_grid(windows: Float[Tensor, "n 3"], size: tuple[int, int]) -> Float[Tensor, "n cells cells 2"]:
    """Cells of windows (top, left, side) in the coordinates of `grid_sample`: x and y from -1 to 1 at the edges of an
    image of `size` (H, W)."""
    steps = (torch.arange(CELLS, device=windows.device) + 0.5) / CELLS
    y = (windows[:, 0, None] + windows[:, 2, None] * steps) / size[0] * 2 - 1
    x = (windows[:, 1, None] + windows[:, 2, None] * steps) / size[1] * 2 - 1
    columns, rows = x[:, None, :].expand(-1, CELLS, -1), y[:, :, None].expand(-1, -1, CELLS)
    return torch.stack([columns, rows], dim=-1)


def boxes(masks: Bool[Tensor, "n H W"]) -> Float[Tensor, "n 4"]:
    """(top, left, height, width) in pixels of masks [n H W], float [n 4]; the whole image for an empty one."""
    found = []
    for mask in masks:
        rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
        if not len(rows):
            rows, columns = torch.arange(mask.shape[0]), torch.arange(mask.shape[1])
        top, left = rows[0].item(), columns[0].item()
        found.append([top, left, rows[-1].item() + 1 - top, columns[-1].item() + 1 - left])
    return torch.tensor(found, dtype=torch.float32, device=masks.device).view(-1, 4)

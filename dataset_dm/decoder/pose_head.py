"""Pose head: 17 keypoints for every person that the queries found.

Where joints are is read once for the whole picture (one map a joint); whose they are, each query says through its mask
and through a vector of its own. So a hundred labelled pictures teach the joints, not each query anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, coordinates, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.query_decoder import MASK_STRIDE

KEYPOINTS = 17
STRIDE = 2
OWN = 8  # channels in which a query tells its joints from another's
REACH = 5  # cells of the mask's grid by which a joint may lie outside of what is seen of its person
OUTSIDE = 0.02  # how likely a joint is to lie farther out


@dataclass(frozen=True)
class PoseOutput:
    """What keypoints are read from; see :meth:`locate`.

    Args:
        joints: logits [b 17 h w] at stride 2 that the joint of anybody is there.
        pixels: [b c h w] at stride 2, to be compared with `own`.
        own: [b q 17 c], what a query's own joints look like.
        near: log-chance [b q h w] that a cell belongs to the query's person or lies next to it.
        visible: logits [b q 17 3] of not in the picture, hidden, seen.
    """

    joints: Tensor
    pixels: Tensor
    own: Tensor
    near: Tensor
    visible: Tensor

    def logits(self, image: int, queries: Tensor) -> Tensor:
        """Where the joints of these queries [n] are: [n 17 h w]; a softmax over the cells gives chances."""
        own = torch.einsum("njc,chw->njhw", self.own[image, queries], self.pixels[image])
        return self.joints[image] + own / math.sqrt(OWN) + self.near[image, queries][:, None]


class PoseHead(nn.Module):
    """Joint maps from the fused maps, and each query's claim on them.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine = config.width_at(4), config.width_at(STRIDE)
        self.enter = nn.Conv2d(width + 2, width, 1)
        self.blocks = nn.Sequential(
            ResidualBlock(width, config.groups, config.dropout),
            ResidualBlock(width, config.groups, config.dropout),
            nn.GroupNorm(config.groups, width),
            nn.SiLU(),
        )
        self.coarse = nn.Conv2d(width, KEYPOINTS + OWN, 1)
        self.fine = nn.Sequential(
            ResidualBlock(fine, config.groups), nn.GroupNorm(config.groups, fine), nn.SiLU(),
            nn.Conv2d(fine, KEYPOINTS, 1),
        )  # fmt: skip
        self.own = nn.Linear(config.query_width, KEYPOINTS * OWN)
        self.visible = nn.Sequential(
            nn.Linear(config.query_width, config.query_width), nn.SiLU(), nn.Linear(config.query_width, KEYPOINTS * 3)
        )

    def forward(self, fused: dict[int, Tensor], states: Tensor, masks: Tensor) -> PoseOutput:
        """Keypoint evidence of every query.

        Args:
            fused: stride → fused map.
            states: of the queries [b q c].
            masks: their mask logits at stride 4 [b q h w]; no gradient flows into them.
        """
        x = fused[4]
        x = self.blocks(self.enter(torch.cat([x, coordinates(x)], dim=1)))
        size = tuple(fused[STRIDE].shape[-2:])
        coarse = resize(self.coarse(x), size)
        joints = coarse[:, :KEYPOINTS] + self.fine(fused[STRIDE])
        reach = REACH * 4 // MASK_STRIDE
        close = functional.max_pool2d(masks.detach().sigmoid(), reach, stride=1, padding=reach // 2)
        near = torch.log(resize(close, size) * (1 - OUTSIDE) + OUTSIDE)
        return PoseOutput(
            joints=joints,
            pixels=coarse[:, KEYPOINTS:],
            own=rearrange(self.own(states), "b q (j c) -> b q j c", j=KEYPOINTS),
            near=near,
            visible=rearrange(self.visible(states), "b q (j v) -> b q j v", j=KEYPOINTS),
        )

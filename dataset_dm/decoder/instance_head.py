"""Instance head: things from the bottom up — where there is any, where each has its centre, what each one is.

Every pixel of a thing is taught, so a hundred pictures go a long way; a set of queries (DatasetDM's way) learns from
each picture a few matches only: after 100 renders its masks had 13 AP, the connected components of the class map 22.
After Cheng et al., "Panoptic-DeepLab", 2020. What a thing is, the class evidence under its mask says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, convex_upsample, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.trunk import STRIDE

REACH = 32.0  # pixels; offsets are predicted in this unit
RARE = -3.0  # few cells are centres: the bias a centre starts from


@dataclass(frozen=True)
class InstanceOutput:
    """Dense maps from which things are put together; see `postprocess.instance`.

    Args:
        things: logits [b H W] that a pixel belongs to any thing.
        centres: logits [b h w] at stride 4 that a thing has the centre of its visible mask there.
        offsets: [b 2 H W], pixels down and to the right from each pixel to the centre of its thing.
        evidence: of each class at stride 8 [b k c h w].
        looks: fused map at stride 8 [b c h w].
        words: standardised class embeddings [k d].
        head: what knows how to weigh evidence.
    """

    things: Tensor
    centres: Tensor
    offsets: Tensor
    evidence: Tensor
    looks: Tensor
    words: Tensor
    head: InstanceHead

    def classes(self, image: int, masks: Tensor) -> Tensor:
        """Log-odds [n k] of every class, against none of them, for the things under masks [n H W]."""
        return self.head.classify(self, image, masks)


class InstanceHead(nn.Module):
    """Thing, centre and offset maps, and a class for every mask.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine, hidden = config.width_at(STRIDE), config.width_at(1), config.instance_width
        self.block = ResidualBlock(width, config.groups, config.dropout, convolutions=1)
        self.leave = nn.Conv2d(width, 4, 1)
        self.neighbours = nn.Conv2d(fine, 9, 1)
        self.detail = nn.Conv2d(fine, 1, 1)
        nn.init.constant_(self.leave.bias[:1], RARE)
        self.weigh = nn.Sequential(
            nn.Linear(config.evidence_width, hidden), nn.SiLU(), nn.Dropout(config.dropout), nn.Linear(hidden, 1)
        )
        self.look = nn.Linear(config.width, hidden)
        self.word = nn.Linear(config.spec.text_width, hidden)

    def forward(self, scene: Tensor, fused: dict[int, Tensor], evidence: Tensor, words: Tensor) -> InstanceOutput:
        """Dense maps from the scene trunk [b c h w] at stride 4; evidence and words are kept for :meth:`classify`."""
        maps = self.leave(self.block(scene))
        fine = convex_upsample(maps[:, 1:], self.neighbours(fused[1]))
        return InstanceOutput(
            things=fine[:, 0] + self.detail(fused[1])[:, 0],
            centres=maps[:, 0],
            offsets=fine[:, 1:] * REACH,
            evidence=evidence,
            looks=fused[8],
            words=words,
            head=self,
        )

    def classify(self, output: InstanceOutput, image: int, masks: Tensor) -> Tensor:
        """See :meth:`InstanceOutput.classes`."""
        evidence, looks = output.evidence[image], output.looks[image]
        share = under(masks, tuple(evidence.shape[-2:]))
        said = self.weigh(torch.einsum("nhw,kchw->nkc", share, evidence)).squeeze(-1)
        seen = self.look(torch.einsum("nhw,chw->nc", share, looks))
        return said + seen @ self.word(output.words).T / math.sqrt(seen.shape[-1])


def under(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Weights [n h w] on a coarse grid, each summing to 1, that average what lies under masks [n H W]."""
    if not len(masks):
        return masks.new_zeros((0, *size), dtype=torch.float32)
    share = (
        functional.adaptive_avg_pool2d(masks.float()[None], size)[0]
        if masks.shape[-1] >= size[1]
        else resize(masks.float()[None], size)[0]
    )
    share = share + 1e-6
    return share / share.sum((-2, -1), keepdim=True)

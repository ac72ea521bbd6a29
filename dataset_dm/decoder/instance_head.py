"""Instance head, bottom-up: a foreground map, a centre map, offsets to the centre, and a class for every mask.

Every pixel of an instance gives a gradient, so a hundred images suffice; a set of queries (as in DatasetDM) learns from
a few matches an image: after 100 renders its masks had 13 AP, connected components of the class map 22. After Cheng et
al., "Panoptic-DeepLab", 2020. The class of an instance is read from the class evidence under its mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, convex_upsample, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.trunk import STRIDE

REACH = 32.0  # pixels: the unit of predicted offsets
RARE = -3.0  # initial bias of centre logits: few cells are centres


@dataclass(frozen=True)
class InstanceOutput:
    """Dense maps from which instances are grouped; see `postprocess.instance`.

    Args:
        foreground: logits [b H W] that a pixel belongs to any instance.
        centres: logits [b h w] at stride 4 that the visible mask of an instance has its centre there.
        offsets: [b 2 H W], pixels down and to the right from each pixel to the centre of its instance.
        evidence: of each class at stride 8 [b k c h w].
        appearance: fused map at stride 8 [b c h w].
        text: standardised class embeddings [k d].
        head: classifies masks.
    """

    foreground: Float[Tensor, "b H W"]
    centres: Float[Tensor, "b h4 w4"]
    offsets: Float[Tensor, "b 2 H W"]
    evidence: Float[Tensor, "b k _ h8 w8"]
    appearance: Float[Tensor, "b c h8 w8"]
    text: Float[Tensor, "k d"]
    head: InstanceHead

    def classes(self, image: int, masks: Bool[Tensor, "n H W"]) -> Float[Tensor, "n k"]:
        """Log-odds [n k] of every class, against none of them, for the instances with these masks [n H W]."""
        return self.head.classify(self, image, masks)


class InstanceHead(nn.Module):
    """Foreground, centre and offset maps, and a class for every mask.

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

    def forward(
        self,
        scene: Float[Tensor, "b _ h4 w4"],
        fused: dict[int, Float[Tensor, "b _ _ _"]],
        evidence: Float[Tensor, "b k _ h8 w8"],
        text: Float[Tensor, "k d"],
    ) -> InstanceOutput:
        """Dense maps from the scene trunk [b c h w] at stride 4; evidence and text are kept for :meth:`classify`."""
        maps = self.leave(self.block(scene))
        fine = convex_upsample(maps[:, 1:], self.neighbours(fused[1]))
        return InstanceOutput(
            foreground=fine[:, 0] + self.detail(fused[1])[:, 0],
            centres=maps[:, 0],
            offsets=fine[:, 1:] * REACH,
            evidence=evidence,
            appearance=fused[8],
            text=text,
            head=self,
        )

    def classify(self, output: InstanceOutput, image: int, masks: Bool[Tensor, "n H W"]) -> Float[Tensor, "n k"]:
        """See :meth:`InstanceOutput.classes`."""
        evidence, appearance = output.evidence[image], output.appearance[image]
        share = under(masks, tuple(evidence.shape[-2:]))
        from_evidence = self.weigh(torch.einsum("nhw,kchw->nkc", share, evidence)).squeeze(-1)
        pooled = self.look(torch.einsum("nhw,chw->nc", share, appearance))
        return from_evidence + pooled @ self.word(output.text).T / math.sqrt(pooled.shape[-1])


def under(masks: Bool[Tensor, "n H W"], size: tuple[int, int]) -> Float[Tensor, "n h w"]:
    """Weights [n h w] on a coarse grid, each summing to 1, that average a map under masks [n H W]."""
    if not len(masks):
        return masks.new_zeros((0, *size), dtype=torch.float32)
    share = (
        functional.adaptive_avg_pool2d(masks.float()[None], size)[0]
        if masks.shape[-1] >= size[1]
        else resize(masks.float()[None], size)[0]
    )
    share = share + 1e-6
    return share / share.sum((-2, -1), keepdim=True)

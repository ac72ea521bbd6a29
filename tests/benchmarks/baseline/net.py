"""A U-Net that reads class maps, centres and offsets of instances, depth and joints off one image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from dataset_dm.labels.coco import JOINTS
from dataset_dm.miniature.judge import JudgeNet

SHAPE = (32, 64, 96, 128)  # relative widths of the levels, at 1/2, 1/4, 1/8, 1/16 of the image
GROUPS = 8  # of its GroupNorms: widths are multiples
FOLD = 2  # pixels along each side that the finest level holds as channels: four times fewer places, nothing is lost
RARE = -4.0  # first logit of what hardly any pixel is (a centre, a joint): a chance of 2 %
MIDDLE = math.log(4.0)  # first depth: a few metres


@dataclass(frozen=True)
class Maps:
    """What the net says of b images, float [b … H W]; distances are in `UNIT`s of the longer side.

    Args:
        semantic: class logits [b k H W], background first.
        centre: logit that an instance's centre of mass is here [b H W].
        offset: from a pixel of an instance to its centre, (x, y) [b 2 H W].
        depth: logarithm of metres [b H W].
        heat: logits of the 17 joints [b 17 H W].
        votes: from a pixel of a person to that person's joints, (x, y) [b 17 2 H W].
    """

    semantic: Tensor
    centre: Tensor
    offset: Tensor
    depth: Tensor
    heat: Tensor
    votes: Tensor


UNIT = 1 / 8


class BaselineNet(nn.Module):
    """Images [b 3 H W] in [-1, 1], sides multiples of 16 → :class:`Maps`; `names` counts background.

    The judge's own U-Net on images folded 2 × 2, so that a step costs half of it; a head tells the tasks apart.
    """

    def __init__(self, names: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.parts = (names, 1, 2, 1, JOINTS, 2 * JOINTS)
        hidden = 2 * widths[0]
        self.trunk = JudgeNet(hidden, widths, inputs=3 * FOLD**2)
        self.head = nn.Sequential(nn.SiLU(), nn.Conv2d(hidden, sum(self.parts) * FOLD**2, 1))
        with torch.no_grad():
            first = rearrange(self.head[-1].bias, "(c f) -> c f", f=FOLD**2).split(self.parts)
            for part, value in ((1, RARE), (3, MIDDLE), (4, RARE)):
                first[part].fill_(value)

    def forward(self, images: Tensor) -> Maps:
        folded = self.head(self.trunk(F.pixel_unshuffle(images, FOLD)))
        semantic, centre, offset, depth, heat, votes = F.pixel_shuffle(folded, FOLD).split(self.parts, dim=1)
        votes = rearrange(votes, "b (j xy) h w -> b j xy h w", xy=2)
        return Maps(semantic, centre[:, 0], offset, depth[:, 0], heat, votes)


def widths_for(parameters: int, names: int) -> tuple[int, ...]:
    """Widths of the net whose size is closest to `parameters`."""

    def scaled(factor: float) -> tuple[int, ...]:
        return tuple(max(GROUPS, round(width * factor / GROUPS) * GROUPS) for width in SHAPE)

    candidates = {scaled(math.exp(power / 20)) for power in range(-40, 41)}
    with torch.device("meta"):  # shapes only: nothing is allocated
        sizes = {widths: count_parameters(BaselineNet(names, widths)) for widths in sorted(candidates)}
    return min(sizes, key=lambda widths: abs(sizes[widths] - parameters))


def count_parameters(module: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)

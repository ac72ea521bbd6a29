"""Pose head: 17 keypoints for every person found.

Where joints are is read once for the whole picture (one map a joint), so a hundred labelled pictures teach the joints,
not each person anew. Whose they are is told by a person's mask and by what is read from under it: a vector that its own
joints look like, and where in its box it expects each of them (a Gaussian, so that left and right, up and down are
known before the first pixel is looked at).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.instance_head import under

KEYPOINTS = 17
STRIDE = 2
OWN = 8  # channels in which a person tells its joints from another's
REACH = 5  # cells by which a joint may lie outside of what is seen of its person
OUTSIDE = 0.02  # how likely a joint is to lie farther out


@dataclass(frozen=True)
class PoseOutput:
    """What keypoints are read from; see :meth:`of`.

    Args:
        joints: logits [b 17 h w] at stride 2 that the joint of anybody is there.
        pixels: [b OWN h w] at stride 2, to be compared with a person's own vectors.
        scene: scene trunk [b c h w] at stride 4.
        head: what knows how to read a person from under its mask.
    """

    joints: Tensor
    pixels: Tensor
    scene: Tensor
    head: PoseHead

    def of(self, image: int, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoint evidence of the people under masks [n H W].

        Returns:
            logits [n 17 h w] of where each joint is (a softmax over the cells gives chances), and logits [n 17 3] of
            not in the picture, hidden, seen.
        """
        return self.head.read(self, image, masks)


class PoseHead(nn.Module):
    """Joint maps, and each person's claim on them.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine, hidden = config.width_at(4), config.width_at(STRIDE), config.query_width
        self.block = ResidualBlock(width, config.groups, config.dropout, convolutions=1)
        self.coarse = nn.Conv2d(width, KEYPOINTS + OWN, 1)
        self.fine = nn.Sequential(
            ResidualBlock(fine, config.groups), nn.GroupNorm(config.groups, fine), nn.SiLU(),
            nn.Conv2d(fine, KEYPOINTS, 1),
        )  # fmt: skip
        self.own = nn.Linear(width, KEYPOINTS * OWN)
        self.place = nn.Linear(width, KEYPOINTS * 4)
        nn.init.normal_(self.place.weight, std=1e-3)
        nn.init.constant_(self.place.bias, 0.0)
        self.visible = nn.Sequential(nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, KEYPOINTS * 3))

    def forward(self, scene: Tensor, fused: dict[int, Tensor]) -> PoseOutput:
        """Joint maps from the scene trunk [b c h w] at stride 4 and the fused map at stride 2."""
        scene = self.block(scene)
        coarse = resize(self.coarse(scene), tuple(fused[STRIDE].shape[-2:]))
        return PoseOutput(coarse[:, :KEYPOINTS] + self.fine(fused[STRIDE]), coarse[:, KEYPOINTS:], scene, self)

    def read(self, output: PoseOutput, image: int, masks: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`PoseOutput.of`."""
        scene, pixels = output.scene[image], output.pixels[image]
        size = tuple(pixels.shape[-2:])
        person = torch.einsum("nhw,chw->nc", under(masks, tuple(scene.shape[-2:])), scene)
        own = rearrange(self.own(person), "n (j c) -> n j c", j=KEYPOINTS)
        # a joint lies under its person's mask or close by; farther out, behind something, it may lie too
        close = functional.adaptive_max_pool2d(masks.float()[None], size)
        close = functional.max_pool2d(close, 2 * REACH + 1, stride=1, padding=REACH)[0]
        near = torch.log(close * (1 - OUTSIDE) + OUTSIDE)
        claims = torch.einsum("njc,chw->njhw", own, pixels) / math.sqrt(OWN)
        visible = rearrange(self.visible(person), "n (j v) -> n j v", j=KEYPOINTS)
        expected = rearrange(self.place(person), "n (j c) -> n j c", j=KEYPOINTS)
        places = expectation(expected, boxes(masks), size, STRIDE)
        return output.joints[image] + claims + near[:, None] + places, visible


def boxes(masks: Tensor) -> Tensor:
    """(top, left, height, width) in pixels of masks [n H W], float [n 4]; the whole picture for an empty one."""
    found = []
    for mask in masks:
        rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
        if not len(rows):
            rows, columns = torch.arange(mask.shape[0]), torch.arange(mask.shape[1])
        top, left = rows[0].item(), columns[0].item()
        found.append([top, left, rows[-1].item() + 1 - top, columns[-1].item() + 1 - left])
    return torch.tensor(found, dtype=torch.float32, device=masks.device).view(-1, 4)


def expectation(expected: Tensor, boxes: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Log-density (up to a constant) of joints over the cells of a grid [n j h w].

    Args:
        expected: [n j 4]: mean down and right in the box (0 its middle, ±1 its edges), and two log-precisions.
        boxes: (top, left, height, width) in pixels [n 4].
        size: (h, w) of the grid; stride: pixels a cell.
    """
    top, left, height, width = (each[:, None] for each in boxes.unbind(-1))
    down = ((torch.arange(size[0], device=boxes.device) + 0.5) * stride - top - height / 2) / (height / 2)
    right = ((torch.arange(size[1], device=boxes.device) + 0.5) * stride - left - width / 2) / (width / 2)
    y, x, tight_y, tight_x = expected.unbind(-1)
    by_row = -0.5 * tight_y.clamp(-4, 6).exp()[..., None] * (down[:, None] - y[..., None]) ** 2
    by_column = -0.5 * tight_x.clamp(-4, 6).exp()[..., None] * (right[:, None] - x[..., None]) ** 2
    # far outside it is just as unlikely everywhere: a cut-off person's box says little
    return by_row.clamp_min(-8)[..., :, None] + by_column.clamp_min(-8)[..., None, :]

"""Losses of instances: foreground, centres, offsets to the centre, and the class of every mask."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.instance_head import REACH, InstanceOutput
from dataset_dm.decoder.targets import Targets
from dataset_dm.decoder.trunk import STRIDE
from dataset_dm.labels.vocabulary import VOID

SPREAD = 2.0  # standard deviation of a centre's target, in cells of the centre map


@dataclass(frozen=True)
class Centres:
    """Dense targets of a true instance map.

    Args:
        foreground: float [b H W], 1 on instances; known: bool [b H W], not ignored.
        centres: float [b h w] at stride 4, a bell of height 1 on every centre; counted: float [b h w] share known.
        offsets: float [b 2 H W], pixels down and right to the centre; undefined outside of instances.
        count: instances in all b images.
    """

    foreground: Float[Tensor, "b H W"]
    known: Bool[Tensor, "b H W"]
    centres: Float[Tensor, "b h4 w4"]
    counted: Float[Tensor, "b h4 w4"]
    offsets: Float[Tensor, "b 2 H W"]
    count: int


def centres_of(instances: Int[Tensor, "b H W"]) -> Centres:
    """The dense targets of instance maps int64 [b H W]: 0 background, 255 ignored."""
    batch, height, width = instances.shape
    device = instances.device
    known = instances != VOID
    rows = torch.arange(height, device=device).float()[:, None].expand(height, width) + 0.5
    columns = torch.arange(width, device=device).float()[None].expand(height, width) + 0.5
    cell_rows = (torch.arange(height // STRIDE, device=device).float() + 0.5) * STRIDE
    cell_columns = (torch.arange(width // STRIDE, device=device).float() + 0.5) * STRIDE
    bells = torch.zeros(batch, height // STRIDE, width // STRIDE, device=device)
    offsets = torch.zeros(batch, 2, height, width, device=device)
    count = 0
    for image in range(batch):
        for number in torch.unique(instances[image]).tolist():
            if number in (0, VOID):
                continue
            count += 1
            mask = instances[image] == number
            y, x = rows[mask].mean(), columns[mask].mean()
            square = ((cell_rows - y) ** 2)[:, None] + ((cell_columns - x) ** 2)[None]
            bells[image] = torch.maximum(bells[image], torch.exp(-square / (2 * (SPREAD * STRIDE) ** 2)))
            offsets[image, 0][mask], offsets[image, 1][mask] = y - rows[mask], x - columns[mask]
    counted = functional.avg_pool2d(known.float()[:, None], STRIDE)[:, 0]
    return Centres((known & (instances > 0)).float(), known, bells, counted, offsets, count)


def foreground_loss(logits: Float[Tensor, "b H W"], target: Centres) -> Float[Tensor, ""]:
    """Binary cross-entropy and dice [b H W] that a pixel belongs to an instance, over known pixels."""
    each = functional.binary_cross_entropy_with_logits(logits, target.foreground, reduction="none") * target.known
    entropy = each.sum() / target.known.sum().clamp_min(1)
    share = logits.sigmoid() * target.known
    overlap = 2 * (share * target.foreground).sum() + 1
    return entropy + 1 - overlap / (share.sum() + target.foreground.sum() + 1)


def centre_loss(logits: Float[Tensor, "b h4 w4"], target: Centres) -> Float[Tensor, ""]:
    """Cross-entropy of the bells [b h w], summed, over the number of instances."""
    each = functional.binary_cross_entropy_with_logits(logits, target.centres, reduction="none") * target.counted
    # minus the entropy of the bells, so that the minimum is 0
    floor = functional.binary_cross_entropy(target.centres, target.centres, reduction="none") * target.counted
    return (each - floor).sum() / max(target.count, 1)


def offset_loss(offsets: Float[Tensor, "b 2 H W"], target: Centres) -> Float[Tensor, ""]:
    """Mean |down| + |right| between predicted and true centre over pixels of instances, in units of REACH."""
    each = (offsets - target.offsets).abs().sum(1) * target.foreground
    return each.sum() / target.foreground.sum().clamp_min(1) / REACH


def class_loss(output: InstanceOutput, targets: Targets) -> Float[Tensor, ""]:
    """Cross-entropy of the class of each true instance; one that is not on the class list has logit 0 as its target."""
    losses = []
    for image in range(output.foreground.shape[0]):
        masks, ids = targets.instance_masks(image)
        if len(ids):
            odds = functional.pad(output.classes(image, masks), (0, 1))
            aim = torch.where(ids > 0, ids - 1, odds.shape[-1] - 1)
            losses.append(functional.cross_entropy(odds, aim.to(odds.device), reduction="none"))
    return torch.cat(losses).mean() if losses else output.foreground.sum() * 0

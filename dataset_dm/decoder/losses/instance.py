"""Losses of things: where there is any, where its centre is, which way each pixel's centre lies, what each one is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.instance_head import REACH, InstanceOutput
from dataset_dm.decoder.targets import VOID, Targets
from dataset_dm.decoder.trunk import STRIDE

SPREAD = 2.0  # standard deviation of a centre's target, in cells of the centre map


@dataclass(frozen=True)
class Centres:
    """What the dense maps shall be, from the true instance map.

    Args:
        things: float [b H W], 1 where there is a thing; known: bool [b H W], not ignored.
        centres: float [b h w] at stride 4, a bell of height 1 on every centre; counted: float [b h w] share known.
        offsets: float [b 2 H W], pixels down and right to the centre; meaningless where there is no thing.
        count: things in all b images.
    """

    things: Tensor
    known: Tensor
    centres: Tensor
    counted: Tensor
    offsets: Tensor
    count: int


def centres_of(instances: Tensor) -> Centres:
    """The dense targets of instance maps int64 [b H W]: 0 no thing, 255 ignored."""
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


def thing_loss(logits: Tensor, target: Centres) -> Tensor:
    """Binary cross-entropy and dice [b H W] "this pixel belongs to a thing", over the pixels that are known."""
    each = functional.binary_cross_entropy_with_logits(logits, target.things, reduction="none") * target.known
    entropy = each.sum() / target.known.sum().clamp_min(1)
    share = logits.sigmoid() * target.known
    overlap = 2 * (share * target.things).sum() + 1
    return entropy + 1 - overlap / (share.sum() + target.things.sum() + 1)


def centre_loss(logits: Tensor, target: Centres) -> Tensor:
    """Cross-entropy of the bells [b h w], an object's share each: summed, over the number of objects."""
    each = functional.binary_cross_entropy_with_logits(logits, target.centres, reduction="none") * target.counted
    # less what even a perfect map pays for a bell's flanks, so that 0 is the least
    floor = functional.binary_cross_entropy(target.centres, target.centres, reduction="none") * target.counted
    return (each - floor).sum() / max(target.count, 1)


def offset_loss(offsets: Tensor, target: Centres) -> Tensor:
    """Mean distance |down| + |right| [b 2 H W] between predicted and true centre over pixels of things, over REACH."""
    each = (offsets - target.offsets).abs().sum(1) * target.things
    return each.sum() / target.things.sum().clamp_min(1) / REACH


def class_loss(output: InstanceOutput, targets: Targets) -> Tensor:
    """Cross-entropy of what each true thing is; one that is not on the class list is none of them (logit 0)."""
    losses = []
    for image in range(output.things.shape[0]):
        masks, ids = targets.things(image)
        if len(ids):
            odds = functional.pad(output.classes(image, masks), (0, 1))
            aim = torch.where(ids > 0, ids - 1, odds.shape[-1] - 1)
            losses.append(functional.cross_entropy(odds, aim.to(odds.device), reduction="none"))
    return torch.cat(losses).mean() if losses else output.things.sum() * 0

"""Losses of class maps: cross-entropy and dice a pixel, cross-entropy of inner layers, presence of each class."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from dataset_dm.labels.vocabulary import VOID


def pixel_loss(logits: Float[Tensor, "b k H W"], labels: Int[Tensor, "b H W"]) -> Float[Tensor, ""]:
    """Mean cross-entropy over the pixels that are not void; 0 when all are."""
    total = functional.cross_entropy(logits, labels, ignore_index=VOID, reduction="sum")
    return total / (labels != VOID).sum().clamp_min(1)


def dice_loss(logits: Float[Tensor, "b k H W"], labels: Int[Tensor, "b H W"]) -> Float[Tensor, ""]:
    """1 - soft Dice, mean over the classes that occur in the batch's truth, void pixels left out."""
    known = (labels != VOID)[:, None]
    target = functional.one_hot(torch.where(known[:, 0], labels, 0), logits.shape[1]).movedim(-1, 1) * known
    chance = logits.softmax(1) * known
    # over the whole batch: a class that fills twenty pixels of one image must not weigh as much as a whole train
    overlap = (chance * target).sum((0, 2, 3))
    size = chance.sum((0, 2, 3)) + target.sum((0, 2, 3))
    present = target.sum((0, 2, 3)) > 0
    return (1 - (2 * overlap + 1) / (size + 1))[present].mean() if present.any() else logits.sum() * 0


def presence_loss(logits: Float[Tensor, "b k"], labels: Int[Tensor, "b H W"]) -> Float[Tensor, ""]:
    """Binary cross-entropy that class k is in the image, [b k] logits.

    A class without a pixel counts as absent with the weight of the known pixels' share: it might lie under void ones.
    """
    ids = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    target = (labels.flatten(1)[:, None] == ids[None, :, None]).any(-1)
    known = (labels != VOID).flatten(1).float().mean(1, keepdim=True)
    return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), target + ~target * known)

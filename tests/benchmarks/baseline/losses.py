"""How wrong the net is, all tasks together."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.benchmarks.baseline.net import Maps
from tests.benchmarks.baseline.targets import Targets

# Weights against the class map's loss. As they come, the gradients of distances are several times as large and classes
# come late; a heat map's loss is a sum over the pixels around each peak.
DISTANCES, PEAKS = 0.3, 0.03


def total(said: Maps, true: Targets) -> Tensor:
    """One number to minimise; an image without instances, joints or known depth adds none of that kind."""
    counted = true.counted
    return (
        F.cross_entropy(said.semantic, true.label, ignore_index=255)
        + PEAKS * peaks(said.centre, true.centre, counted)
        + PEAKS * peaks(said.heat, true.heat, counted[:, None].expand_as(true.heat))
        + DISTANCES * distance(said.offset, true.offset)
        + DISTANCES * distance(said.votes, true.votes)
        + DISTANCES * distance(up_to_scale(said.depth, true.depth, true.metric), true.depth)
    )


def up_to_scale(said: Tensor, true: Tensor, metric: Tensor) -> Tensor:
    """Log depth [b H W], moved to the truth's mean in images whose depth is known up to a factor."""
    known = torch.isfinite(true)
    error = torch.where(known, said - torch.where(known, true, 0.0), 0.0).flatten(1)
    off = error.sum(1) / known.flatten(1).sum(1).clamp_min(1)
    return said - torch.where(metric, 0.0, off)[:, None, None]


def distance(said: Tensor, true: Tensor) -> Tensor:
    """Mean absolute error over what is known (not NaN); 0 when nothing is."""
    known = torch.isfinite(true)
    error = (said - torch.where(known, true, said.detach())).abs()
    return error.sum() / known.sum().clamp_min(1)


def peaks(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Focal loss of heat maps (Law and Deng 2018, "CornerNet"), a peak: target 1 at peaks, Gaussian bumps around."""
    chance = logits.sigmoid()
    at_peak = (1 - chance) ** 2 * F.logsigmoid(logits)
    beside = (1 - target) ** 4 * chance**2 * F.logsigmoid(-logits)
    is_peak = target == 1
    loss = torch.where(is_peak, at_peak, beside) * counted
    return -loss.sum() / (is_peak & counted).sum().clamp_min(1)

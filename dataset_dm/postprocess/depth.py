"""Depth of the head → metres, 0 where unknown, and a calibrated chance that it is right."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.confidence import Calibration

# Log-odds that a depth is known from which it is told. A doubtful depth with its low confidence is worth more than
# none: 0.4 % of known pixels are left out instead of 0.6 %, for 3 % instead of 2 % of the unknown ones that are not.
DOUBTFUL = -1.0


def metres(
    log_depth: Tensor,
    known: Tensor,
    confidence: Tensor,
    *,
    size: tuple[int, int] | None = None,
    calibration: Calibration = (1.0, 0.0),
) -> tuple[Tensor, Tensor]:
    """Depth of b pictures.

    Args:
        log_depth: natural logarithm of metres [b H W].
        known: logit that it is known at all [b H W]; confidence: log-odds that it is within a factor of 1.25 [b H W].
        size: (H, W) of the result, if not the maps' own. The nearest value is taken: a mean over an edge is the
            depth of nothing.

    Returns:
        float32 [b H W] in metres, 0 unknown, and chances [b H W] in 0..1, 0 where unknown.
    """
    slope, offset = calibration
    there = known >= DOUBTFUL
    depth = torch.where(there, log_depth.float().exp(), 0.0)
    sure = torch.where(there, torch.sigmoid(slope * confidence.float() + offset), 0.0)
    if size is not None and tuple(depth.shape[-2:]) != tuple(size):
        both = functional.interpolate(torch.stack([depth, sure], 1), size=tuple(size), mode="nearest-exact")
        depth, sure = both.unbind(1)
    return depth, sure

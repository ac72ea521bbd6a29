"""Losses of depth: SiLog for the depth, a Laplace likelihood for how sure it is, and whether it is known at all."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.depth_head import DepthOutput

VARIANCE_FOCUS = 0.5  # λ of Eigen et al., "Depth map prediction from a single image", 2014; DatasetDM's value


def silog_loss(log_depth: Tensor, depth: Tensor, metric: Tensor | None = None, focus: float = VARIANCE_FOCUS) -> Tensor:
    """sqrt(mean g² - λ (mean g)²) with g the error of log depth, a picture at a time, mean over pictures.

    Args:
        log_depth: [b H W]; depth: metres [b H W]; pixels that are 0 or NaN are left out.
        metric: bool [b]; False where the depth is known up to a factor: there λ is 1. None: known everywhere.
    """
    known = depth > 0
    count = known.flatten(1).sum(1)
    error = torch.where(known, log_depth - torch.where(known, depth, 1.0).log(), 0.0).flatten(1)
    mean = error.sum(1) / count.clamp_min(1)
    square = error.square().sum(1) / count.clamp_min(1)
    weight = focus if metric is None else torch.where(metric, focus, 1.0)
    each = (square - weight * mean.square() + 1e-6).sqrt()
    return each[count > 0].mean() if (count > 0).any() else log_depth.sum() * 0


def absolute_loss(log_depth: Tensor, depth: Tensor, metric: Tensor | None = None) -> Tensor:
    """Mean |g| of known pixels, a picture at a time, mean over pictures; less its mean g where only that is known.

    Beside SiLog it pulls towards the median: the relative error that depth is judged by is no square either.
    """
    known = depth > 0
    count = known.flatten(1).sum(1)
    error = torch.where(known, log_depth - torch.where(known, depth, 1.0).log(), 0.0).flatten(1)
    mean = error.sum(1) / count.clamp_min(1)
    off = torch.zeros_like(mean) if metric is None else torch.where(metric, 0.0, mean)
    each = ((error - off[:, None]).abs() * known.flatten(1)).sum(1) / count.clamp_min(1)
    return each[count > 0].mean() if (count > 0).any() else log_depth.sum() * 0


def sureness_loss(output: DepthOutput, depth: Tensor, metric: Tensor | None = None) -> Tensor:
    """Negative log-likelihood of the error under a Laplace distribution; it moves the scale, never the depth."""
    known = depth > 0 if metric is None else (depth > 0) & metric[:, None, None]
    error = (output.log_depth.detach() - torch.where(known, depth, 1.0).log()).abs()
    each = error * (-output.log_scale).exp() + output.log_scale
    return torch.where(known, each, 0.0).sum() / known.sum().clamp_min(1)


def known_loss(logits: Tensor, depth: Tensor) -> Tensor:
    """Binary cross-entropy "depth is known here"; pixels that are NaN are left out."""
    counted = ~depth.isnan()
    each = functional.binary_cross_entropy_with_logits(logits, (depth > 0).float(), reduction="none")
    return torch.where(counted, each, 0.0).sum() / counted.sum().clamp_min(1)

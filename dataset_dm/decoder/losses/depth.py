"""Losses of depth: SiLog, absolute log error, the likelihood of the expected error, and whether depth is known."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.depth_head import DepthOutput

VARIANCE_FOCUS = 0.5  # λ of Eigen et al., "Depth map prediction from a single image", 2014; DatasetDM's value


def silog_loss(
    log_depth: Float[Tensor, "b H W"],
    depth: Float[Tensor, "b H W"],
    metric: Bool[Tensor, " b"] | None = None,
    focus: float = VARIANCE_FOCUS,
) -> Float[Tensor, ""]:
    """sqrt(mean g² - λ (mean g)²) with g the error of log depth, an image at a time, mean over images.

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


def absolute_loss(
    log_depth: Float[Tensor, "b H W"], depth: Float[Tensor, "b H W"], metric: Bool[Tensor, " b"] | None = None
) -> Float[Tensor, ""]:
    """Mean |g| of known pixels, averaged an image at a time; minus the mean of g where depth is known up to a factor.

    It complements SiLog: the benchmark's relative error is an absolute error too, not a squared one.
    """
    known = depth > 0
    count = known.flatten(1).sum(1)
    error = torch.where(known, log_depth - torch.where(known, depth, 1.0).log(), 0.0).flatten(1)
    mean = error.sum(1) / count.clamp_min(1)
    off = torch.zeros_like(mean) if metric is None else torch.where(metric, 0.0, mean)
    each = ((error - off[:, None]).abs() * known.flatten(1)).sum(1) / count.clamp_min(1)
    return each[count > 0].mean() if (count > 0).any() else log_depth.sum() * 0


def scale_loss(
    output: DepthOutput, depth: Float[Tensor, "b H W"], metric: Bool[Tensor, " b"] | None = None
) -> Float[Tensor, ""]:
    """Negative log-likelihood of the error under a Laplace distribution; no gradient reaches the depth."""
    known = depth > 0 if metric is None else (depth > 0) & metric[:, None, None]
    error = (output.log_depth.detach() - torch.where(known, depth, 1.0).log()).abs()
    each = error * (-output.log_scale).exp() + output.log_scale
    return torch.where(known, each, 0.0).sum() / known.sum().clamp_min(1)


def known_loss(logits: Float[Tensor, "b H W"], depth: Float[Tensor, "b H W"]) -> Float[Tensor, ""]:
    """Binary cross-entropy that depth is known at a pixel; NaN pixels are left out."""
    counted = ~depth.isnan()
    each = functional.binary_cross_entropy_with_logits(logits, (depth > 0).float(), reduction="none")
    return torch.where(counted, each, 0.0).sum() / counted.sum().clamp_min(1)

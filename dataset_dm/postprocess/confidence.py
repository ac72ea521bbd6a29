"""Scores → calibrated chances: a slope and an offset on the log-odds (Platt scaling), fitted on held-out data."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Calibration = tuple[float, float]  # (slope, offset)
EDGE = 1e-4  # scores are clipped this far from 0 and 1


def calibrate(scores: Float[Tensor, "*#shape"], calibration: Calibration) -> Float[Tensor, "*#shape"]:
    """Calibrated probabilities of scores in 0..1."""
    slope, offset = calibration
    return torch.sigmoid(slope * torch.logit(scores.float(), eps=EDGE) + offset)

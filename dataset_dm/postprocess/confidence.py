"""Scores → calibrated chances: a slope and an offset on the log-odds (Platt scaling), fitted on held-out data."""

from __future__ import annotations

import torch
from torch import Tensor

Calibration = tuple[float, float]  # (slope, offset)
EDGE = 1e-4  # scores this near to 0 or 1 say no more than that


def calibrate(scores: Tensor, calibration: Calibration) -> Tensor:
    """Chances 0..1 of scores 0..1, any shape."""
    slope, offset = calibration
    return torch.sigmoid(slope * torch.logit(scores.float(), eps=EDGE) + offset)

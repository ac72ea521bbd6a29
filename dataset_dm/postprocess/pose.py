"""Joint maps of a person → 17 keypoints with sub-cell place, visibility and a calibrated chance."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.confidence import Calibration, calibrate

AROUND = 5  # cells; the place is the mean over so wide a window around the peak


def keypoints(
    logits: Tensor,
    visible: Tensor,
    windows: Tensor,
    picture: tuple[int, int],
    *,
    calibration: Calibration = (1.0, 0.0),
) -> tuple[Tensor, Tensor]:
    """Keypoints of n people.

    Args:
        logits: [n 17 h w] of where each joint is in its person's window.
        visible: [n 17 3] of not in the picture, hidden, seen.
        windows: (top, left, side) in pixels of the picture, float [n 3]; the window's cells divide it evenly.
        picture: its (H, W) in the same pixels: a window may reach beyond it, a keypoint may not.
        calibration: of the chances.

    Returns:
        float32 [n 17 3] of (x, y, v), zeros where the joint is not in the picture, and chances [n 17] that it lies
        there.
    """
    height, width = logits.shape[-2:]
    chance = logits.float().flatten(2).softmax(-1).unflatten(-1, (height, width))
    margin = AROUND // 2
    # the window with most of the chance, not the highest cell: a joint between two cells is split among them
    mass = functional.avg_pool2d(chance, AROUND, stride=1, padding=margin) * AROUND**2
    best = mass.flatten(2).argmax(-1)
    row, column = best // width, best % width
    rows, columns = (torch.arange(side, device=logits.device) for side in (height, width))
    near_row = (rows - row[..., None]).abs() <= margin
    near_column = (columns - column[..., None]).abs() <= margin
    window = chance * near_row[..., :, None] * near_column[..., None, :]
    total = window.sum((-2, -1)).clamp_min(1e-12)
    y = (window.sum(-1) * (rows + 0.5)).sum(-1) / total / height * windows[:, 2, None] + windows[:, 0, None]
    x = (window.sum(-2) * (columns + 0.5)).sum(-1) / total / width * windows[:, 2, None] + windows[:, 1, None]
    there = visible.float().softmax(-1)
    # a joint that is more likely in the picture than not is hidden or seen, whichever is likelier
    outside = (y < 0) | (y >= picture[0]) | (x < 0) | (x >= picture[1])
    v = torch.where((there[..., 0] > 0.5) | outside, 0, there[..., 1:].argmax(-1) + 1)
    points = torch.stack([x, y, v.to(x.dtype)], dim=-1) * (v > 0)[..., None]
    scores = calibrate(total * (1 - there[..., 0]), calibration) * (v > 0)
    return points, scores

"""Joint maps of a person → 17 keypoints with sub-cell coordinates, visibility and a calibrated probability."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.confidence import Calibration, calibrate

AROUND = 5  # cells; coordinates are the mean over a window of this width around the peak


def keypoints(
    logits: Float[Tensor, "n 17 h w"],
    visible: Float[Tensor, "n 17 3"],
    windows: Float[Tensor, "n 3"],
    size: tuple[int, int],
    *,
    calibration: Calibration = (1.0, 0.0),
) -> tuple[Float[Tensor, "n 17 3"], Float[Tensor, "n 17"]]:
    """((x, y, v), probability of the coordinates) of the keypoints of n people; zeros for joints outside of the image.

    Args:
        logits: of the cells of each joint in its person's window.
        visible: logits of not in the image, hidden, seen.
        windows: (top, left, side) in pixels of the image; the window's cells divide it evenly.
        size: (H, W) of the image in the same pixels; a window may reach beyond it, a keypoint may not.
        calibration: of the probabilities.
    """
    height, width = logits.shape[-2:]
    chance = logits.float().flatten(2).softmax(-1).unflatten(-1, (height, width))
    margin = AROUND // 2
    # the window with the most probability, not the highest cell: a joint between two cells is split between them
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
    # a joint that is more likely in the image than not is hidden or seen, whichever is likelier
    outside = (y < 0) | (y >= size[0]) | (x < 0) | (x >= size[1])
    v = torch.where((there[..., 0] > 0.5) | outside, 0, there[..., 1:].argmax(-1) + 1)
    points = torch.stack([x, y, v.to(x.dtype)], dim=-1) * (v > 0)[..., None]
    scores = calibrate(total * (1 - there[..., 0]), calibration) * (v > 0)
    return points, scores

"""Losses of keypoints: where each joint of a true person is, and whether it is seen, hidden or outside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.pose_head import STRIDE, PoseOutput
from dataset_dm.decoder.targets import Targets

SPREAD = 1.0  # standard deviation of a joint's target, in cells of the joint maps


def pose_loss(output: PoseOutput, targets: Targets) -> tuple[Tensor, Tensor]:
    """(place, visibility): cross-entropy of the labelled joints' place over the cells, and of v of every joint; means.

    Only people with a labelled joint count. Joints that are hidden have a place too; those outside have none.
    """
    places, visible = [], []
    for image in range(output.joints.shape[0]):
        masks, _ = targets.things(image)
        points = targets.things_keypoints(image)
        if points is None or not len(masks):
            continue
        people = torch.nonzero((points[..., 2] > 0).any(-1)).flatten()
        if not len(people):
            continue
        points = points[people]
        logits, said = output.of(image, masks[people.to(masks.device)])
        aims = aim(points, tuple(logits.shape[-2:])).to(logits.device)
        each = -(aims.flatten(2) * logits.flatten(2).log_softmax(-1)).sum(-1)
        labelled = (points[..., 2] > 0).to(logits.device)
        places.append(each[labelled])
        v = points[..., 2].long().flatten().to(said.device)
        visible.append(functional.cross_entropy(said.flatten(0, 1), v, reduction="none"))
    if not places:
        nothing = output.joints.sum() * 0
        return nothing, nothing
    return torch.cat(places).mean(), torch.cat(visible).mean()


def aim(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Where joints should be found: [n 17 3] in pixels → [n 17 h w], each a little bell that sums to 1.

    Cell (row, column) has its centre at pixel ((column + 0.5) · stride, (row + 0.5) · stride).
    """
    height, width = size
    x, y = points[..., 0] / STRIDE - 0.5, points[..., 1] / STRIDE - 0.5
    rows = torch.arange(height, device=points.device, dtype=points.dtype)
    columns = torch.arange(width, device=points.device, dtype=points.dtype)
    down = torch.exp(-((rows - y[..., None]) ** 2) / (2 * SPREAD**2))
    right = torch.exp(-((columns - x[..., None]) ** 2) / (2 * SPREAD**2))
    bell = down[..., :, None] * right[..., None, :]
    return bell / bell.sum((-2, -1), keepdim=True).clamp_min(1e-12)

"""Losses of keypoints: the place of each joint of a true person, and its visibility v (0, 1, 2)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.pose_head import CELLS, PoseOutput
from dataset_dm.decoder.targets import Targets

SPREAD = 1.0  # standard deviation of a joint's target, in cells of the window


def pose_loss(output: PoseOutput, targets: Targets) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """(place, visibility): cross-entropy of the labelled joints' place over the cells, and of v of every joint; means.

    Only people with a labelled joint count. Joints that are hidden have a place too; those outside the image or the
    person's window have none.
    """
    places, visible = [], []
    for image in range(len(targets.keypoints or ())):
        masks, _ = targets.instance_masks(image)
        points = targets.instance_keypoints(image)
        if points is None or not len(masks):
            continue
        people = torch.nonzero((points[..., 2] > 0).any(-1)).flatten()
        if not len(people):
            continue
        found = output.of(image, masks[people.to(masks.device)])
        points = points[people].to(found.joints.device)
        aims, inside = aim(points, found.windows)
        each = -(aims.flatten(2) * found.joints.flatten(2).log_softmax(-1)).sum(-1)
        places.append(each[inside])
        v = points[..., 2].long().flatten()
        visible.append(functional.cross_entropy(found.visible.flatten(0, 1), v, reduction="none"))
    if not places:
        zero = sum(each.sum() for each in output.maps.values()) * 0
        return zero, zero
    every = torch.cat(places)
    return every.sum() / max(len(every), 1), torch.cat(visible).mean()


def aim(
    points: Float[Tensor, "n 17 3"], windows: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, "n 17 cells cells"], Bool[Tensor, "n 17"]]:
    """Target heat maps of joints.

    Args:
        points: (x, y, v) in pixels [n 17 3].
        windows: (top, left, side) in pixels [n 3].

    Returns:
        [n 17 CELLS CELLS], each a bell that sums to 1, and which joints are labelled and inside, bool [n 17].
    """
    x = (points[..., 0] - windows[:, 1, None]) / windows[:, 2, None] * CELLS - 0.5
    y = (points[..., 1] - windows[:, 0, None]) / windows[:, 2, None] * CELLS - 0.5
    inside = (points[..., 2] > 0) & (torch.minimum(x, y) > -0.5) & (torch.maximum(x, y) < CELLS - 0.5)
    cells = torch.arange(CELLS, device=points.device, dtype=points.dtype)
    down = torch.exp(-((cells - y[..., None]) ** 2) / (2 * SPREAD**2))
    right = torch.exp(-((cells - x[..., None]) ** 2) / (2 * SPREAD**2))
    bell = down[..., :, None] * right[..., None, :]
    return bell / bell.sum((-2, -1), keepdim=True).clamp_min(1e-12), inside

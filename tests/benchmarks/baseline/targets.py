"""What the net should have said of labelled images.

Instances by their centres of mass and every pixel's way there (Cheng et al. 2020, "Panoptic-DeepLab"); joints by heat
maps and by every pixel's way to its own person's joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from dataset_dm.labels.coco import JOINTS
from dataset_dm.readers.labelled import LabelledImage
from tests.benchmarks.baseline.net import UNIT

CENTRE_SPREAD, JOINT_SPREAD = 1 / 32, 1 / 64  # standard deviation of the bumps on the heat maps, of the longer side


@dataclass(frozen=True)
class Targets:
    """Of b images; see `net.Maps` for the units.

    Args:
        images: float [b 3 H W] in [-1, 1].
        label: int64 [b H W], 255 void.
        counted: bool [b H W]; False where instances are not labelled.
        centre: 0..1 [b H W], 1 at the pixel of a centre.
        offset: [b 2 H W], NaN off instances.
        depth: logarithm of metres [b H W], NaN where unknown.
        metric: bool [b]; False where the depth is known up to a factor.
        heat: 0..1 [b 17 H W].
        votes: [b 17 2 H W], NaN off people and for joints out of the image.
    """

    images: Tensor
    label: Tensor
    counted: Tensor
    centre: Tensor
    offset: Tensor
    depth: Tensor
    metric: Tensor
    heat: Tensor
    votes: Tensor

    def to(self, device: torch.device | str) -> Targets:
        """The same on another device."""
        return Targets(*(getattr(self, entry.name).to(device) for entry in fields(self)))


def targets(samples: Sequence[LabelledImage]) -> Targets:
    """The targets of images that have all kinds of labels and one size."""
    each = [_targets(sample) for sample in samples]
    stacked = {name: torch.from_numpy(np.stack([one[name] for one in each])) for name in each[0]}
    return Targets(**stacked)


def pixels(images: np.ndarray) -> np.ndarray:
    """uint8 [… H W 3] as float32 [… 3 H W] in [-1, 1]."""
    return np.moveaxis(images.astype(np.float32) / 127.5 - 1, -1, -3)


def _targets(sample: LabelledImage) -> dict[str, np.ndarray]:
    instances, depth = sample.instances, sample.depth
    assert sample.label is not None and instances is not None and instances.keypoints is not None and depth is not None
    size = sample.label.shape
    side = max(size)
    places = np.stack(np.meshgrid(np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5)).astype(np.float32)  # x, y
    centre, heat = np.zeros(size, np.float32), np.zeros((JOINTS, *size), np.float32)
    offset = np.full((2, *size), np.nan, np.float32)
    votes = np.full((JOINTS, 2, *size), np.nan, np.float32)
    for number, points in enumerate(instances.keypoints, start=1):
        mask = instances.map == number
        if not mask.any():  # cropped away
            continue
        middle = places[:, mask].mean(1)
        centre = np.maximum(centre, bump(middle, size, CENTRE_SPREAD * side))
        offset[:, mask] = (middle[:, None] - places[:, mask]) / (UNIT * side)
        for joint in np.flatnonzero(points[:, 2] > 0):
            heat[joint] = np.maximum(heat[joint], bump(points[joint], size, JOINT_SPREAD * side))
            votes[joint][:, mask] = (points[joint, :2, None] - places[:, mask]) / (UNIT * side)
    known = np.isfinite(depth) & (depth > 0)
    return {
        "images": pixels(sample.image),
        "label": sample.label.astype(np.int64),
        "counted": ~instances.ignored,
        "centre": centre,
        "offset": offset,
        "depth": np.log(np.where(known, depth, np.nan)).astype(np.float32),
        "metric": np.array(sample.metric),
        "heat": heat,
        "votes": votes,
    }


def bump(at: np.ndarray, size: tuple[int, int], spread: float) -> np.ndarray:
    """A Gaussian [H W] around the pixel that holds the point (x, y), exactly 1 there."""
    x, y = int(at[0]), int(at[1])
    across = np.exp(-((np.arange(size[1]) - x) ** 2) / (2 * spread**2))
    down = np.exp(-((np.arange(size[0]) - y) ** 2) / (2 * spread**2))
    return (down[:, None] * across[None]).astype(np.float32)

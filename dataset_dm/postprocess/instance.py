"""Foreground, centre and offset maps → instances, each with its class and a calibrated score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from dataset_dm.labels.instances import Instances
from dataset_dm.postprocess.confidence import Calibration, calibrate

# masks → log-odds of each class against none of them
Classify = Callable[[Bool[Tensor, "n H W"]], Float[Tensor, "n k"]]

LEAST_SCORE = 0.02  # lower scores are noise in every metric
LEAST_AREA = 1 / 1024  # of the image
LEAST_CENTRE = 0.1  # least probability of a centre
APART = 7  # least cells between two centres: nearer ones belong to one instance
MOST = 60  # most centres in an image


def find(
    foreground: Float[Tensor, "H W"],
    centres: Float[Tensor, "h w"],
    offsets: Float[Tensor, "2 H W"],
    classify: Classify,
    *,
    requested: Sequence[int] | None = None,
    unasked: float = 1.0,
    calibration: Calibration = (1.0, 0.0),
) -> Instances:
    """The instances of one image by descending score.

    Args:
        foreground: logits that a pixel belongs to any instance.
        centres: logits that an instance has its centre there.
        offsets: pixels down and right from each pixel to the centre of its instance.
        classify: masks bool [n H W] → log-odds [n k] of each class against none of them.
        requested: positions of the classes of the prompt; None: unprompted.
        unasked: prior odds of a class outside of `requested` against one of them.
        calibration: of the scores.
    """
    masks, confidence = group(foreground, centres, offsets)
    if not len(masks):
        return Instances.from_masks(masks.cpu().numpy(), np.zeros(0, np.int64), np.zeros(0, np.float32))
    chances = functional.pad(classify(masks).float(), (0, 1)).softmax(-1)
    if requested is not None:
        prior = torch.full_like(chances[0], unasked)
        prior[[*requested, -1]] = 1
        chances = chances * prior
        chances = chances / chances.sum(-1, keepdim=True).clamp_min(1e-12)
    chance, which = chances[:, :-1].max(-1)
    scores = calibrate(chance * confidence, calibration)
    kept = torch.nonzero(scores >= LEAST_SCORE).flatten()
    kept = kept[scores[kept].argsort(descending=True, stable=True)]
    found = (masks[kept], (which[kept] + 1).long(), scores[kept].float())
    return Instances.from_masks(*(values.cpu().numpy() for values in found))


def group(
    foreground: Float[Tensor, "H W"], centres: Float[Tensor, "h w"], offsets: Float[Tensor, "2 H W"]
) -> tuple[Bool[Tensor, "n H W"], Float[Tensor, " n"]]:
    """(masks, their confidence in 0..1): every foreground pixel belongs to the centre that it points at.

    The best cell of the map is always a centre, so that no foreground is lost.
    """
    height, width = foreground.shape
    inside = foreground > 0
    if not inside.any():
        return inside[None][:0], foreground.new_zeros(0)
    peaks, heights = find_centres(centres)
    stride = height / centres.shape[0]
    y = torch.arange(height, device=foreground.device)[:, None] + 0.5 + offsets[0]
    x = torch.arange(width, device=foreground.device)[None] + 0.5 + offsets[1]
    places = (peaks + 0.5) * stride
    points = torch.stack([y[inside], x[inside]], dim=-1).float()
    owner = torch.cdist(points[None], places[None])[0].argmin(-1)
    numbers = torch.full_like(inside, -1, dtype=torch.long)
    numbers[inside] = owner
    masks = numbers[None] == torch.arange(len(peaks), device=foreground.device)[:, None, None]
    area = masks.flatten(1).sum(1)
    share = (foreground.float().sigmoid() * masks).flatten(1).sum(1) / area.clamp_min(1)
    kept = torch.nonzero(area >= max(LEAST_AREA * height * width, 1)).flatten()
    return masks[kept], (share * heights.sqrt())[kept]


def find_centres(centres: Float[Tensor, "h w"]) -> tuple[Float[Tensor, "n 2"], Float[Tensor, " n"]]:
    """((row, column) of the peaks of logits, their probabilities); at least one peak, the highest cell."""
    chance = centres.float().sigmoid()
    highest = functional.max_pool2d(chance[None, None], APART, stride=1, padding=APART // 2)[0, 0]
    peak = (chance == highest) & (chance >= LEAST_CENTRE)
    if not peak.any():
        peak = chance == chance.max()
    rows, columns = torch.nonzero(peak, as_tuple=True)
    order = chance[rows, columns].argsort(descending=True, stable=True)[:MOST]
    return torch.stack([rows, columns], -1)[order].float(), chance[rows, columns][order]

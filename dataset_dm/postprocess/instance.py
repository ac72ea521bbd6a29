"""Thing, centre and offset maps → objects that share no pixel, each with its class and a calibrated score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.confidence import Calibration, calibrate

LEAST_SCORE = 0.02  # lower ones are noise, whoever evaluates them
LEAST_AREA = 1 / 1024  # of the picture
LEAST_CENTRE = 0.1  # chance of a centre that is followed up
APART = 7  # cells between two centres, at least: nearer ones are two guesses at one thing
MOST = 60  # centres a picture


@dataclass(frozen=True)
class Found:
    """The objects of one image, the surest first.

    Args:
        classes: ids 1…k, int64 [n].
        scores: chances 0..1, float32 [n].
        masks: bool [n H W], disjoint.
    """

    classes: Tensor
    scores: Tensor
    masks: Tensor


def find(
    things: Tensor,
    centres: Tensor,
    offsets: Tensor,
    classify: Callable[[Tensor], Tensor],
    *,
    requested: Sequence[int] | None = None,
    unasked: float = 1.0,
    calibration: Calibration = (1.0, 0.0),
) -> Found:
    """The objects of one image.

    Args:
        things: logits [H W] that a pixel belongs to any thing.
        centres: logits [h w] that a thing has its centre there.
        offsets: [2 H W], pixels down and right from each pixel to its thing's centre.
        classify: masks bool [n H W] → log-odds [n k] of each class against none of them.
        requested: positions of the classes that were asked for; None: nobody said.
        unasked: prior odds of a class that was not asked for against one that was.
        calibration: of the scores.
    """
    masks, sure = group(things, centres, offsets)
    if not len(masks):
        none = torch.zeros(0, device=things.device)
        return Found(none.long(), none, masks)
    chances = functional.pad(classify(masks).float(), (0, 1)).softmax(-1)
    if requested is not None:
        prior = torch.full_like(chances[0], unasked)
        prior[[*requested, -1]] = 1
        chances = chances * prior
        chances = chances / chances.sum(-1, keepdim=True).clamp_min(1e-12)
    chance, which = chances[:, :-1].max(-1)
    scores = calibrate(chance * sure, calibration)
    kept = torch.nonzero(scores >= LEAST_SCORE).flatten()
    kept = kept[scores[kept].argsort(descending=True, stable=True)]
    return Found(which[kept] + 1, scores[kept], masks[kept])


def group(things: Tensor, centres: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Masks bool [n H W] and how sure each is, 0..1: every pixel of a thing goes to the centre that it points at.

    A thing without any centre of its own would be lost: the best cell of the map is always one.
    """
    height, width = things.shape
    inside = things > 0
    if not inside.any():
        return inside[None][:0], things.new_zeros(0)
    peaks, heights = find_centres(centres)
    stride = height / centres.shape[0]
    y = torch.arange(height, device=things.device)[:, None] + 0.5 + offsets[0]
    x = torch.arange(width, device=things.device)[None] + 0.5 + offsets[1]
    places = (peaks + 0.5) * stride
    points = torch.stack([y[inside], x[inside]], dim=-1).float()
    owner = torch.cdist(points[None], places[None])[0].argmin(-1)
    numbers = torch.full_like(inside, -1, dtype=torch.long)
    numbers[inside] = owner
    masks = numbers[None] == torch.arange(len(peaks), device=things.device)[:, None, None]
    area = masks.flatten(1).sum(1)
    share = (things.float().sigmoid() * masks).flatten(1).sum(1) / area.clamp_min(1)
    kept = torch.nonzero(area >= max(LEAST_AREA * height * width, 1)).flatten()
    return masks[kept], (share * heights.sqrt())[kept]


def find_centres(centres: Tensor) -> tuple[Tensor, Tensor]:
    """(row, column) of the peaks of logits [h w] as float [n 2], and their chances [n]; at least one, the highest."""
    chance = centres.float().sigmoid()
    highest = functional.max_pool2d(chance[None, None], APART, stride=1, padding=APART // 2)[0, 0]
    peak = (chance == highest) & (chance >= LEAST_CENTRE)
    if not peak.any():
        peak = chance == chance.max()
    rows, columns = torch.nonzero(peak, as_tuple=True)
    order = chance[rows, columns].argsort(descending=True, stable=True)[:MOST]
    return torch.stack([rows, columns], -1)[order].float(), chance[rows, columns][order]

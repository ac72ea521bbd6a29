"""Query masks and class odds → objects that share no pixel, each with its class and a calibrated score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.confidence import Calibration, calibrate

LEAST_SCORE = 0.02  # lower ones are noise, whoever evaluates them
LEAST_AREA = 4  # pixels
LEAST_SHARE = 0.5  # of its own mask that an object must keep when surer ones have taken theirs


@dataclass(frozen=True)
class Found:
    """The objects of one image, the surest first.

    Args:
        queries: which query each is of, int64 [n].
        classes: ids 1…k, int64 [n].
        scores: chances 0..1, float32 [n].
        masks: bool [n H W], disjoint.
    """

    queries: Tensor
    classes: Tensor
    scores: Tensor
    masks: Tensor


def find(
    masks: Tensor,
    classes: Tensor,
    *,
    requested: Sequence[int] | None = None,
    unasked: float = 1.0,
    calibration: Calibration = (1.0, 0.0),
    size: tuple[int, int] | None = None,
) -> Found:
    """The objects among the queries of one image.

    Args:
        masks: logits [q H W]; classes: log-odds of each class against "no object" [q k].
        requested: positions of the classes that were asked for; None: nobody said.
        unasked: prior odds of a class that was not asked for against one that was.
        calibration: of the scores.
        size: (H, W) of the result, if not the masks' own.
    """
    if size is not None and tuple(masks.shape[-2:]) != tuple(size):
        masks = functional.interpolate(masks[None].float(), size=tuple(size), mode="bilinear", align_corners=False)[0]
    chances = functional.pad(classes.float(), (0, 1)).softmax(-1)
    if requested is not None:
        prior = torch.full_like(chances[0], unasked)
        prior[[*requested, -1]] = 1
        chances = chances * prior
        chances = chances / chances.sum(-1, keepdim=True)
    chance, which = chances[:, :-1].max(-1)
    share = masks.float().sigmoid()
    inside = share > 0.5
    area = inside.flatten(1).sum(1)
    outline = (share * inside).flatten(1).sum(1) / area.clamp_min(1)  # how clear-cut it is
    raw = chance * outline
    scores = calibrate(raw, calibration)
    owner = (torch.where(inside, share, 0.0) * raw[:, None, None]).argmax(0)
    numbers = torch.arange(len(masks), device=masks.device)
    own = inside & (owner[None] == numbers[:, None, None])
    left = own.flatten(1).sum(1)
    good = (scores >= LEAST_SCORE) & (left >= LEAST_AREA) & (left >= LEAST_SHARE * area)
    kept = torch.nonzero(good).flatten()
    kept = kept[scores[kept].argsort(descending=True, stable=True)]
    return Found(kept, which[kept] + 1, scores[kept], own[kept])

"""Class maps and instances of one image made to agree: within an instance there is one class.

A single cell of the class map is ambiguous between classes that look alike; an instance as a whole is less so. A
decoder of 100 renders, on 100 others: 50.9 → 53.9 mIoU unprompted, 48.8 → 53.7 prompted.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.instance import Classify, group

EDGE = 1e-4  # probabilities are clipped this far from 0 and 1


def agree(
    logits: Float[Tensor, "channels H W"],
    foreground: Float[Tensor, "H W"],
    centres: Float[Tensor, "h w"],
    offsets: Float[Tensor, "2 H W"],
    classify: Classify,
) -> Float[Tensor, "channels H W"]:
    """Class scores of one image, those of each instance's pixels replaced by the instance's own.

    Args:
        logits: of 1 + k channels, background first.
        foreground, centres, offsets, classify: as in `instance.find`.

    Returns:
        log-probabilities: under an instance's mask the odds against background are the mean of both heads'
        there, and the class is the product of the map's mean and the instance head's distribution.
        An instance that is none of the listed classes is background.
    """
    masks, _ = group(foreground, centres, offsets)
    chances = logits.float().log_softmax(0)
    if not len(masks):
        return chances
    among = chances[1:].log_softmax(0)  # which class, if any
    odds = torch.logsumexp(chances[1:], 0) - chances[0]
    own_classes = functional.pad(classify(masks).float(), (0, 1)).log_softmax(-1)[:, :-1]
    new = chances.clone()
    for mask, own in zip(masks, own_classes, strict=True):
        kind = (among[:, mask].mean(-1) + own).log_softmax(0)
        # an instance that is more likely of no listed class is evidence for background, of the same weight
        unlisted = torch.logit(own.exp().sum(), eps=EDGE).clamp_max(0)
        both = 0.5 * (odds[mask] + foreground[mask].float() + unlisted)
        new[1:, mask] = kind[:, None] + functional.logsigmoid(both)
        new[0, mask] = functional.logsigmoid(-both)
    return new

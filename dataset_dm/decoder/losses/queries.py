"""Set losses of the query branch: each true region is matched with one query, every layer is supervised.

After Cheng et al., "Mask2Former", 2022. The maps are small enough to be compared whole; no points are sampled, so a
step's loss depends on its batch alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder.query_decoder import QueryOutput
from dataset_dm.decoder.targets import Targets


@dataclass(frozen=True)
class QueryWeights:
    """Weights of class, outline and overlap, in the matching and in the loss; Mask2Former's own."""

    classes: float = 2.0
    mask: float = 5.0
    dice: float = 5.0
    no_object: float = 0.1


@dataclass(frozen=True)
class Region:
    """The true regions of one image, and where nothing is known.

    Args:
        masks: float [n H W]; ids: int64 [n]; known: float [H W], 0 where the truth is void.
    """

    masks: Tensor
    ids: Tensor
    known: Tensor

    def shrunk(self, size: tuple[int, int]) -> Region:
        """The same on a coarser grid: shares of cells."""
        small = functional.adaptive_avg_pool2d(torch.cat([self.masks, self.known[None]])[None], size)[0]
        return Region(small[:-1], self.ids, small[-1])


Pairs = list[tuple[Tensor, Tensor]]  # for each image: queries, and the true regions they are matched with


def true_regions(targets: Targets, batch: int) -> list[Region]:
    """The regions of every image; see `Targets.regions`."""
    found = []
    for image in range(batch):
        masks, ids, void = targets.regions(image)
        found.append(Region(masks.float(), ids, (~void).float()))
    return found


def query_loss(layers: tuple[QueryOutput, ...], regions: list[Region], weights: QueryWeights) -> Tensor:
    """Mean loss over the layers."""
    size = tuple(layers[0].masks.shape[-2:])
    small = [region.shrunk(size) for region in regions]
    total = layers[0].masks.sum() * 0
    for layer in layers:
        pairs = [match(layer.masks[i], layer.classes[i], region, weights) for i, region in enumerate(small)]
        total = total + weights.classes * class_loss(layer.classes, pairs, small, weights.no_object)
        total = total + mask_loss(layer.masks, pairs, small, weights)
    return total / len(layers)


@torch.no_grad()
def match(masks: Tensor, classes: Tensor, region: Region, weights: QueryWeights) -> tuple[Tensor, Tensor]:
    """The cheapest one-to-one assignment of queries to true regions.

    Args:
        masks: logits [q h w]; classes: log-odds against "no object" [q k].

    Returns:
        queries and regions, int64 [min(q, n)] each.
    """
    device = masks.device
    if not len(region.ids):
        empty = torch.zeros(0, dtype=torch.long, device=device)
        return empty, empty
    chance = functional.pad(classes.float(), (0, 1)).softmax(-1)
    cost = -weights.classes * chance[:, (region.ids - 1).to(device)]
    logits, true, known = masks.float().flatten(1), region.masks.flatten(1), region.known.flatten()
    count = known.sum().clamp_min(1)
    for_object = (functional.softplus(-logits) * known) @ true.T
    against = (functional.softplus(logits) * known) @ (1 - true).T
    cost = cost + weights.mask * (for_object + against) / count
    share = logits.sigmoid() * known
    both = share @ true.T
    sizes = share.sum(1, keepdim=True) + (true * known).sum(1)[None]
    cost = cost + weights.dice * (1 - (2 * both + 1) / (sizes + 1))
    rows, columns = linear_sum_assignment(cost.nan_to_num(1e6).cpu().numpy())
    return torch.as_tensor(rows, device=device), torch.as_tensor(columns, device=device)


def class_loss(classes: Tensor, pairs: Pairs, regions: list[Region], no_object: float) -> Tensor:
    """Cross-entropy of [b q k] with "no object" (logit 0) as the class of every query that is not matched."""
    count = classes.shape[-1]
    target = torch.full(classes.shape[:2], count, dtype=torch.long, device=classes.device)
    for image, (queries, found) in enumerate(pairs):
        target[image, queries] = (regions[image].ids.to(found.device)[found] - 1).to(target.device)
    weight = torch.ones(count + 1, device=classes.device)
    weight[-1] = no_object
    return functional.cross_entropy(functional.pad(classes, (0, 1)).movedim(-1, 1), target, weight)


def mask_loss(masks: Tensor, pairs: Pairs, regions: list[Region], weights: QueryWeights) -> Tensor:
    """Binary cross-entropy and dice of the matched masks [b q h w] against regions on the same grid, mean a region."""
    total, count = masks.sum() * 0, 0
    for image, (queries, found) in enumerate(pairs):
        if not len(queries):
            continue
        logits, true, known = masks[image, queries], regions[image].masks[found], regions[image].known
        entropy = functional.binary_cross_entropy_with_logits(logits, true, reduction="none") * known
        total = total + weights.mask * (entropy.sum((-2, -1)) / known.sum().clamp_min(1)).sum()
        share = logits.sigmoid() * known
        both, sizes = (share * true).sum((-2, -1)), share.sum((-2, -1)) + (true * known).sum((-2, -1))
        total = total + weights.dice * (1 - (2 * both + 1) / (sizes + 1)).sum()
        count += len(queries)
    return total / max(count, 1)

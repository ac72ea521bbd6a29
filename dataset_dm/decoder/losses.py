"""What a decoder is trained on: cross-entropy and dice a pixel, set matching for the queries, presence a class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerLoss

from dataset_dm.decoder.model import DecoderOutput
from dataset_dm.decoder.query_decoder import QueryOutput

VOID = 255
SETTLED = -20.0  # a mask logit that costs nothing where the target is 0


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the parts; the query weights are Mask2Former's own."""

    pixel: float = 1.0  # cross-entropy at the image's size
    dice: float = 1.0
    inner: float = 0.4  # cross-entropy of each inner layer
    presence: float = 0.1
    query: float = 0.1  # on the whole query loss
    query_class: float = 2.0
    query_mask: float = 5.0
    query_dice: float = 5.0
    no_object: float = 0.1
    points: int = 1024  # sampled for the mask losses; Mask2Former's 12544 is for 256² mask grids, ours is 32²


def decoder_loss(output: DecoderOutput, labels: Tensor, config: LossConfig) -> dict[str, Tensor]:
    """Weighted parts of the loss; their sum is ``"loss"``.

    Args:
        output: predictions for k classes.
        labels: int [b H W]; 0 background, 1…k classes, 255 void: left out of every part.
    """
    labels = labels.long()
    classes = output.presence.shape[1]
    parts = {
        "pixel": config.pixel * pixel_loss(output.semantic, labels),
        "dice": config.dice * dice_loss(output.semantic, labels),
        "presence": config.presence * presence_loss(output.presence, labels),
    }
    if output.aux:
        inner = [pixel_loss(logits, shrink_labels(labels, logits.shape[-2:])) for logits in output.aux]
        parts["inner"] = config.inner * torch.stack(inner).sum()
    if output.queries:
        parts["query"] = config.query * query_loss(output.queries, labels, classes, config)
    parts["loss"] = torch.stack(list(parts.values())).sum()
    return parts


def shrink_labels(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Labels [b H W] on a coarser grid: nearest, never a mixture of ids."""
    return functional.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest-exact")[:, 0].long()


def pixel_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the pixels that are not void; 0 when all are."""
    total = functional.cross_entropy(logits, labels, ignore_index=VOID, reduction="sum")
    return total / (labels != VOID).sum().clamp_min(1)


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - soft Dice, mean over the classes that occur in the batch's truth, void pixels left out."""
    known = (labels != VOID)[:, None]
    target = functional.one_hot(torch.where(known[:, 0], labels, 0), logits.shape[1]).movedim(-1, 1) * known
    chance = logits.softmax(1) * known
    # over the whole batch: a class that fills twenty pixels of one image must not weigh as much as a whole train
    overlap = (chance * target).sum((0, 2, 3))
    size = chance.sum((0, 2, 3)) + target.sum((0, 2, 3))
    present = target.sum((0, 2, 3)) > 0
    return (1 - (2 * overlap + 1) / (size + 1))[present].mean() if present.any() else logits.sum() * 0


def presence_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy "class k is in the picture", [b k] logits."""
    ids = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    target = (labels.flatten(1)[:, None] == ids[None, :, None]).any(-1)
    return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype))


@lru_cache(maxsize=64)
def _criterion(classes: int, config: LossConfig) -> Mask2FormerLoss:
    """transformers' criterion for a list of k classes; its class count is fixed, our list is not."""
    settings = Mask2FormerConfig(
        num_labels=classes,
        no_object_weight=config.no_object,
        class_weight=config.query_class,
        mask_weight=config.query_mask,
        dice_weight=config.query_dice,
        train_num_points=config.points,
    )
    return Mask2FormerLoss(settings, weight_dict={})


def query_loss(queries: tuple[QueryOutput, ...], labels: Tensor, classes: int, config: LossConfig) -> Tensor:
    """Set loss of the queries (Hungarian matching), every layer supervised, mean over layers.

    Void pixels are settled beforehand (logit far below 0, target 0), so that they cost and teach nothing.
    """
    criterion = _criterion(classes, config).to(labels.device)
    void = shrink_labels(labels, queries[0].masks.shape[-2:]) == VOID
    present = [torch.unique(each[(each > 0) & (each != VOID)]) for each in labels]
    masks = [(each[None] == ids[:, None, None]).float() for each, ids in zip(labels, present, strict=True)]
    targets = [ids - 1 for ids in present]
    if not any(len(ids) for ids in targets):
        return sum(output.classes.sum() * 0 for output in queries)
    predictions = [
        {
            "masks_queries_logits": output.masks.masked_fill(void[:, None], SETTLED),
            # "no object" has logit 0: the class scores are odds against it
            "class_queries_logits": functional.pad(output.classes, (0, 1)),
        }
        for output in queries
    ]
    losses = criterion(
        **predictions[-1], mask_labels=masks, class_labels=targets, auxiliary_predictions=predictions[:-1]
    )
    weights = {"cross_entropy": config.query_class, "mask": config.query_mask, "dice": config.query_dice}
    total = sum(
        value * next(w for name, w in weights.items() if f"loss_{name}" in key) for key, value in losses.items()
    )
    return total / len(queries)

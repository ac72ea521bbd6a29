"""The batch of a training step: a pure function of (seed, step), so a resumed training sees the same batches."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64

from dataset_dm.decoder import Targets
from dataset_dm.hypercolumns import Features
from dataset_dm.training.augment import stream


def items_of(step: int, batch: int, images: int, variants: int, seed: int) -> list[tuple[int, int]]:
    """(image, variant) pairs of a step: every image once an epoch, in an order of its own, a random variant each."""
    items = []
    for position in range(step * batch, (step + 1) * batch):
        epoch, place = divmod(position, images)
        order = stream("epoch", seed, epoch).permutation(images)
        variant = stream("variant", seed, position).integers(variants)
        items.append((int(order[place]), int(variant)))
    return items


def fewer_classes(
    features: Features, targets: Targets, rng: np.random.Generator, share: float
) -> tuple[Features, Targets, Int64[np.ndarray, " k"]]:
    """With probability ``share`` a random part of the class list, else the whole list in a random order.

    Pixels of a class that is not on the list are background then: that is what a user who asks for ["dog"] expects of a
    cat, and it teaches that background is every pixel that fits no word.

    Returns:
        features and truth for the new list, and the positions of its classes in the old one.
    """
    total = features.class_text.shape[0]
    chosen = rng.permutation(total)
    if rng.random() < share:
        chosen = chosen[: rng.integers(1, total + 1)]
    return features.select_classes(torch.from_numpy(chosen)), targets.select_classes(chosen), chosen

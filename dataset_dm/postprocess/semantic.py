"""Class probabilities → one label a pixel, 255 where unsure, and how far the whole can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID


def probabilities(logits: Tensor, temperature: float = 1.0, size: tuple[int, int] | None = None) -> Tensor:
    """Class probabilities of logits [b 1+k h w]: float32 [b 1+k H W], at ``size`` if given.

    Logits are resized, not labels: a border between three classes then never shows a fourth.
    """
    logits = logits.float() / temperature
    if size is not None and tuple(logits.shape[-2:]) != tuple(size):
        logits = functional.interpolate(logits, size=tuple(size), mode="bilinear", align_corners=False)
    return logits.softmax(1)


def restrict(chances: Tensor, requested: Sequence[Sequence[int]], unasked: float = 0.0) -> Tensor:
    """Weighs down the classes that were not asked for and shares their probability among the rest.

    Args:
        chances: [b 1+k H W], background first.
        requested: for each image the positions (0 … k-1) in the class list that were asked for.
        unasked: prior odds of a class that was not, against one that was; 0 rules it out, 1 changes nothing.

    Raises:
        ValueError: another number of images, or a position outside the list.
    """
    batch, channels = chances.shape[:2]
    if len(requested) != batch:
        raise ValueError(f"restrict: got requests for {len(requested)} images, expected {batch}")
    allowed = torch.full((batch, channels), unasked, dtype=chances.dtype, device=chances.device)
    allowed[:, 0] = 1
    for row, positions in enumerate(requested):
        for position in positions:
            if not 0 <= position < channels - 1:
                raise ValueError(f"restrict: image {row} asks for class {position}, the list has 0..{channels - 2}")
            allowed[row, position + 1] = 1
    kept = chances * allowed[:, :, None, None]
    return kept / kept.sum(1, keepdim=True).clamp_min(1e-12)


def add_log_odds(chances: Tensor, labels: Tensor, weight: float) -> Tensor:
    """Adds another annotator's labels as evidence: the class labelled becomes e^weight times likelier, others less.

    Args:
        chances: [b 1+k H W], background first.
        labels: uint8 [b H W], 0..k; 255 says nothing.
        weight: log-odds, natural; 0 changes nothing.
    """
    known = labels.to(chances.device).long()
    said = functional.one_hot(torch.where(known == VOID, 0, known), chances.shape[1]).movedim(-1, 1).to(chances)
    heard = chances * torch.where((known == VOID)[:, None], 0, said * weight).exp()
    return heard / heard.sum(1, keepdim=True)


def annotate(
    chances: Tensor, presence: Tensor, *, void_below: float = 0.0, keep_probability: bool = False
) -> list[Annotation]:
    """One annotation an image.

    Args:
        chances: probabilities [b 1+k H W], background first; k ≤ 254 because 255 is void.
        presence: probability of each class [b k].
        void_below: pixels whose chosen class is less probable than this become 255.
        keep_probability: store the probability of the chosen class a pixel, float32 [H W].
    """
    if chances.shape[1] > VOID:
        raise ValueError(f"semantic labels are 8-bit: got {chances.shape[1] - 1} classes, expected at most {VOID - 1}")
    best, chosen = chances.max(1)
    full = chosen.to(torch.uint8).cpu().numpy()
    sure = best.float().cpu().numpy()
    there = presence.float().cpu().numpy().astype(np.float32)
    annotations = []
    for label, chance, found in zip(full, sure, there, strict=True):
        unsure = chance < void_below
        annotations.append(
            Annotation(
                confidence=float(chance.mean()),
                presence=found,
                label=np.where(unsure, np.uint8(VOID), label),
                uncertain=float(unsure.mean()),
                full=label,
                probability=chance if keep_probability else None,
            )
        )
    return annotations


def threshold_for(best: np.ndarray, void_share: float) -> float:
    """The ``void_below`` that turns about ``void_share`` of these pixels into 255.

    Args:
        best: probability of the chosen class of held-out pixels, any shape.
        void_share: 0..1.
    """
    if not 0 <= void_share < 1:
        raise ValueError(f"void_share: got {void_share}, expected 0 ≤ share < 1")
    return float(np.quantile(np.asarray(best, dtype=np.float32).ravel(), void_share)) if void_share else 0.0

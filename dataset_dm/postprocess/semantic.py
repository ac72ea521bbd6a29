"""Class probabilities → class maps, 255 where uncertain, with their confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID


def probabilities(
    logits: Float[Tensor, "b channels h w"], temperature: float = 1.0, size: tuple[int, int] | None = None
) -> Float[Tensor, "b channels _ _"]:
    """Class probabilities of logits in float32, at ``size`` if given.

    Logits are resized, not labels: a border between three classes then never shows a fourth.
    """
    logits = logits.float() / temperature
    if size is not None and tuple(logits.shape[-2:]) != tuple(size):
        logits = functional.interpolate(logits, size=tuple(size), mode="bilinear", align_corners=False)
    return logits.softmax(1)


def restrict(
    chances: Float[Tensor, "b channels H W"], requested: Sequence[Sequence[int]], unasked: float = 0.0
) -> Float[Tensor, "b channels H W"]:
    """Probabilities with the classes outside of the prompt weighed down, normalised again.

    Args:
        chances: of 1 + k channels, background first.
        requested: for each image the positions (0 … k-1) of its prompt's classes in the class list.
        unasked: prior odds of any other class against those; 0 rules it out, 1 changes nothing.

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


def add_log_odds(
    chances: Float[Tensor, "b channels H W"], labels: UInt8[Tensor, "b H W"], weight: float
) -> Float[Tensor, "b channels H W"]:
    """Probabilities with another annotator's labels as evidence: its class becomes e^weight times as likely.

    Args:
        chances: of 1 + k channels, background first.
        labels: 0..k; 255 is no evidence.
        weight: log-odds, natural; 0 changes nothing.
    """
    known = labels.to(chances.device).long()
    evidence = functional.one_hot(torch.where(known == VOID, 0, known), chances.shape[1]).movedim(-1, 1).to(chances)
    updated = chances * torch.where((known == VOID)[:, None], 0, evidence * weight).exp()
    return updated / updated.sum(1, keepdim=True)


def annotate(
    chances: Float[Tensor, "b channels H W"],
    presence: Float[Tensor, "b k"],
    *,
    void_below: float = 0.0,
    keep_probability: bool = False,
) -> list[Annotation]:
    """One annotation an image.

    Args:
        chances: of 1 + k channels, background first; k ≤ 254 because 255 is void.
        presence: probability of each class.
        void_below: pixels whose chosen class is less probable than this become 255.
        keep_probability: keep the probability of every pixel's class.
    """
    if chances.shape[1] > VOID:
        raise ValueError(f"semantic labels are 8-bit: got {chances.shape[1] - 1} classes, expected at most {VOID - 1}")
    best, chosen = chances.max(1)
    full = chosen.to(torch.uint8).cpu().numpy()
    highest = best.float().cpu().numpy()
    there = presence.float().cpu().numpy().astype(np.float32)
    annotations = []
    for label, chance, found in zip(full, highest, there, strict=True):
        uncertain = chance < void_below
        annotations.append(
            Annotation(
                confidence=float(chance.mean()),
                presence=found,
                label=np.where(uncertain, np.uint8(VOID), label),
                uncertain=float(uncertain.mean()),
                full=label,
                probability=chance if keep_probability else None,
            )
        )
    return annotations


def threshold_for(best: Float[np.ndarray, "*#shape"], void_share: float) -> float:
    """The ``void_below`` that turns about ``void_share`` of these pixels into 255.

    Args:
        best: probability of the chosen class of held-out pixels.
        void_share: 0..1.
    """
    if not 0 <= void_share < 1:
        raise ValueError(f"void_share: got {void_share}, expected 0 ≤ share < 1")
    return float(np.quantile(np.asarray(best, dtype=np.float32).ravel(), void_share)) if void_share else 0.0

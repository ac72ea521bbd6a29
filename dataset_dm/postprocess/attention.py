"""Attention maps → class maps: spread among cells that belong together, scaled, cut in two or three.

After Dataset Diffusion (Nguyen et al. 2023): where the best class map is high there is the class, where it is low
background, between the two 255. Nothing here is trained; the constants were set once on Miniature's validation seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID

# Chance that a class is there, by what naming it explains (`diffusion.naming`): one half at the middle.
PRESENCE_MIDDLE, PRESENCE_WIDTH = 0.552, 0.21
# Chance that a pixel is of the class whose map is highest there, by the map: one half midway between the thresholds.
PIXEL_WIDTH = 0.1


def exponentiate(self_map: Tensor, maps: Tensor, power: int) -> Tensor:
    """The self-attention map to a power times each class map: `power` products with vectors, never one of matrices.

    Args:
        self_map: row-stochastic [n n], n = h·w.
        maps: [k h w].
        power: 0 changes nothing.
    """
    spread = rearrange(maps, "k h w -> (h w) k")
    for _ in range(power):
        spread = self_map @ spread
    return rearrange(spread, "(h w) k -> k h w", h=maps.shape[-2])


def min_max(maps: Tensor) -> Tensor:
    """Each map [k h w] scaled to 0..1; one that is the same everywhere says nothing and becomes 0."""
    low, high = maps.amin(dim=(-2, -1), keepdim=True), maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)


def presence(explained: Tensor) -> Tensor:
    """Chance 0..1 that each class is in the picture, from the share of its change that is right [k]."""
    return ((explained - PRESENCE_MIDDLE) / PRESENCE_WIDTH).sigmoid()


def annotate(
    maps: Tensor,
    positions: Sequence[int],
    there: np.ndarray,
    *,
    foreground: float,
    background: float,
    keep_probability: bool = False,
) -> Annotation:
    """The annotation of one image.

    Args:
        maps: class maps [k' H W] in 0..1 of the classes that may have a mask, none at all included.
        positions: where these are in the class list; label = position + 1.
        there: presence of every class of the list, float32 [k].
        foreground, background: thresholds; `full` is cut midway between them.
        keep_probability: also keep the probability of every pixel's class.
    """
    middle = (foreground + background) / 2
    best, which = maps.max(dim=0) if len(maps) else (maps.new_zeros(maps.shape[1:]), None)
    classes = torch.tensor([0, *(position + 1 for position in positions)], device=maps.device)
    named = torch.zeros_like(best, dtype=torch.int64) if which is None else classes[which + 1]
    full = torch.where(best >= middle, named, 0)
    unsure = (best >= background) & (best < foreground) & (len(maps) > 0)
    chance = ((best - middle).abs() / PIXEL_WIDTH).sigmoid()
    label = torch.where(unsure, VOID, full)
    return Annotation(
        confidence=float(chance.mean()),
        presence=there.astype(np.float32, copy=False),
        label=_numpy(label, np.uint8),
        full=_numpy(full, np.uint8),
        uncertain=float(unsure.float().mean()),
        probability=_numpy(chance, np.float32) if keep_probability else None,
    )


def _numpy(values: Tensor, dtype: type) -> np.ndarray:
    return values.cpu().numpy().astype(dtype, copy=False)

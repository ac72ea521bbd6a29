"""Attention maps → class maps: spread among cells that belong together, scaled, cut in two or three.

After Dataset Diffusion (Nguyen et al. 2023): a pixel has the class of the best map where that is high, background
where it is low, 255 in between. Nothing here is trained; the constants were set on Miniature's validation seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID

# Probability that a class is in the image, by what naming it explains (`diffusion.naming`): 0.5 at the middle.
PRESENCE_MIDDLE, PRESENCE_WIDTH = 0.552, 0.21
# Probability that a pixel has the class of the highest map: 0.5 midway between the thresholds.
PIXEL_WIDTH = 0.1


def exponentiate(self_map: Float[Tensor, "n n"], maps: Float[Tensor, "k h w"], power: int) -> Float[Tensor, "k h w"]:
    """The self-attention map to a power times each class map: `power` products with vectors, never one of matrices.

    Args:
        self_map: row-stochastic, n = h·w.
        power: 0 changes nothing.
    """
    spread = rearrange(maps, "k h w -> (h w) k")
    for _ in range(power):
        spread = self_map @ spread
    return rearrange(spread, "(h w) k -> k h w", h=maps.shape[-2])


def min_max(maps: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
    """Each map scaled to 0..1; a constant map becomes 0."""
    low, high = maps.amin(dim=(-2, -1), keepdim=True), maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)


def presence(explained: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Probability that each class is in the image, from the share of its change that is right."""
    return ((explained - PRESENCE_MIDDLE) / PRESENCE_WIDTH).sigmoid()


def annotate(
    maps: Float[Tensor, "m H W"],
    positions: Sequence[int],
    there: Float[np.ndarray, " k"],
    *,
    foreground: float,
    background: float,
    keep_probability: bool = False,
) -> Annotation:
    """The annotation of one image.

    Args:
        maps: in 0..1, of the m classes that may have a mask; m may be 0.
        positions: where these are in the class list; label = position + 1.
        there: presence of every class of the list.
        foreground, background: thresholds; `full` is cut midway between them.
        keep_probability: also keep the probability of every pixel's class.
    """
    middle = (foreground + background) / 2
    best, which = maps.max(dim=0) if len(maps) else (maps.new_zeros(maps.shape[1:]), None)
    classes = torch.tensor([0, *(position + 1 for position in positions)], device=maps.device)
    named = torch.zeros_like(best, dtype=torch.int64) if which is None else classes[which + 1]
    full = torch.where(best >= middle, named, 0)
    uncertain = (best >= background) & (best < foreground) & (len(maps) > 0)
    chance = ((best - middle).abs() / PIXEL_WIDTH).sigmoid()
    label = torch.where(uncertain, VOID, full)
    return Annotation(
        confidence=float(chance.mean()),
        presence=there.astype(np.float32, copy=False),
        label=_numpy(label, np.uint8),
        full=_numpy(full, np.uint8),
        uncertain=float(uncertain.float().mean()),
        probability=_numpy(chance, np.float32) if keep_probability else None,
    )


def _numpy(values: Tensor, dtype: type) -> np.ndarray:
    return values.cpu().numpy().astype(dtype, copy=False)

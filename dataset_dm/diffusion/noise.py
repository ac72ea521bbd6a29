"""Noise of the labelling pass, from a sample's seed and equal on every device."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from dataset_dm.errors import ConfigError, explain


def labelling_seed(seed: int) -> int:
    """The seed of a sample's labelling noise.

    It differs from the sample's own seed: the noise that the image was generated from is not independent of the image.
    """
    digest = hashlib.sha256(f"dataset_dm labelling noise {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def draw_noise(latents: Float[Tensor, "b c h w"], seeds: Sequence[int]) -> Float[Tensor, "b c h w"]:
    """Standard normal noise like `latents`; each sample's comes from its own seed, sampled on the CPU."""
    if len(seeds) != len(latents):
        raise ConfigError(explain("seeds", got=len(seeds), expected=f"one for each of the {len(latents)} latents"))
    draws = [torch.Generator("cpu").manual_seed(labelling_seed(seed)) for seed in seeds]
    return torch.stack([torch.randn(latents.shape[1:], generator=draw) for draw in draws]).to(latents)

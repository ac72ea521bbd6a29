"""The labelling pass's own noise: by a sample's seed, the same on every device."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from dataset_dm.errors import ConfigError, explain


def labelling_seed(seed: int) -> int:
    """The seed of a sample's labelling noise.

    Another number than the sample's own, which began the image: that noise would not be independent of it.
    """
    digest = hashlib.sha256(f"dataset_dm labelling noise {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def draw_noise(latents: Tensor, seeds: Sequence[int]) -> Tensor:
    """Unit noise like `latents` [b c h w]; each sample's comes from its own seed, drawn on the CPU for all devices."""
    if len(seeds) != len(latents):
        raise ConfigError(explain("seeds", got=len(seeds), expected=f"one for each of the {len(latents)} latents"))
    draws = [torch.Generator("cpu").manual_seed(labelling_seed(seed)) for seed in seeds]
    return torch.stack([torch.randn(latents.shape[1:], generator=draw) for draw in draws]).to(latents)

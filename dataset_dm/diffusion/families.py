"""What differs between UNet families: how text goes in, what else the UNet wants, how latents reach the VAE.

Sampling needs none of this, it is the pipeline's own call; only the labelling pass does. One small class a family.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from einops import rearrange
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """One conditional text input of the UNet.

    Args:
        states: text states [b n d].
        pooled: one vector a prompt [b p], for families that take one, else None.
    """

    states: Tensor
    pooled: Tensor | None = None

    def repeated(self, times: int) -> Conditioning:
        """The same single prompt for a batch of `times`."""
        pooled = None if self.pooled is None else self.pooled.expand(times, -1)
        return Conditioning(self.states.expand(times, -1, -1), pooled)


class StableDiffusion:
    """Stable Diffusion 1 and 2, and their distilled kin: one text encoder, nothing but text and time."""

    name = "sd"

    def __init__(self, pipe: DiffusionPipeline, device: torch.device) -> None:
        self.pipe = pipe
        self.device = device

    def encode(self, prompts: Sequence[str]) -> Conditioning:
        """The pipeline's own text states of the prompts, without guidance."""
        states, _ = self.pipe.encode_prompt(list(prompts), self.device, 1, False)
        return Conditioning(states)

    def unet_arguments(self, text: Conditioning, size: tuple[int, int]) -> dict[str, Any]:
        """Arguments of the UNet beside sample and time, for images of `size` (H, W)."""
        arguments: dict[str, Any] = {"encoder_hidden_states": text.states}
        width = self.pipe.unet.config.time_cond_proj_dim
        if width is not None:  # guidance-distilled: it is told the guidance, here none
            none = torch.zeros(len(text.states))
            embedding = self.pipe.get_guidance_scale_embedding(none, embedding_dim=width)
            arguments["timestep_cond"] = embedding.to(text.states)
        return arguments

    def to_vae(self, latents: Tensor) -> Tensor:
        """Sampler latents → what the VAE decodes, by the pipeline's own arithmetic."""
        return latents / self.pipe.vae.config.scaling_factor

    def from_vae(self, latents: Tensor) -> Tensor:
        """The inverse of :meth:`to_vae`."""
        return latents * self.pipe.vae.config.scaling_factor

    def decodes_in_float32(self) -> bool:
        """Whether the pipeline lifts a half-precision VAE to float32 for decoding."""
        return False


class StableDiffusionXL(StableDiffusion):
    """Stable Diffusion XL: two text encoders, a pooled vector, and the image size as conditioning."""

    name = "sdxl"

    def encode(self, prompts: Sequence[str]) -> Conditioning:
        states, _, pooled, _ = self.pipe.encode_prompt(
            prompt=list(prompts), device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        return Conditioning(states, pooled)

    def unet_arguments(self, text: Conditioning, size: tuple[int, int]) -> dict[str, Any]:
        # original size, crop corner, target size: what the pipeline itself passes for an uncropped image
        ids = torch.tensor([*size, 0, 0, *size]).to(text.states).expand(len(text.states), -1)
        arguments = super().unet_arguments(text, size)
        arguments["added_cond_kwargs"] = {"text_embeds": text.pooled, "time_ids": ids}
        return arguments

    def to_vae(self, latents: Tensor) -> Tensor:
        if (shift := self._statistics(latents)) is None:
            return super().to_vae(latents)
        mean, std = shift
        return latents * std / self.pipe.vae.config.scaling_factor + mean

    def from_vae(self, latents: Tensor) -> Tensor:
        if (shift := self._statistics(latents)) is None:
            return super().from_vae(latents)
        mean, std = shift
        return (latents - mean) * self.pipe.vae.config.scaling_factor / std

    def decodes_in_float32(self) -> bool:
        return self.pipe.vae.dtype == torch.float16 and bool(self.pipe.vae.config.force_upcast)

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor] | None:
        """Per-channel mean and deviation of the latents, each [1 c 1 1], where the VAE states them."""
        config = self.pipe.vae.config
        if getattr(config, "latents_mean", None) is None or getattr(config, "latents_std", None) is None:
            return None
        mean, std = (
            rearrange(torch.tensor(x).to(like), "c -> 1 c 1 1") for x in (config.latents_mean, config.latents_std)
        )
        return mean, std


def family_of(pipe: DiffusionPipeline, device: torch.device) -> StableDiffusion:
    """The adapter for this pipeline's UNet."""
    large = pipe.unet.config.addition_embed_type == "text_time"
    return (StableDiffusionXL if large else StableDiffusion)(pipe, device)


@contextmanager
def vae_in(pipe: DiffusionPipeline, dtype: torch.dtype) -> Iterator[None]:
    """The VAE in another float type for the duration (half → float32 → half loses nothing)."""
    before = pipe.vae.dtype
    if before != dtype:
        pipe.vae.to(dtype=dtype)
    try:
        yield
    finally:
        if before != dtype:
            pipe.vae.to(dtype=before)

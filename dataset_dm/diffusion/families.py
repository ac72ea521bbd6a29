"""What differs between UNet families: text encoding, further UNet arguments, and the scaling of latents for the VAE.

Only the labelling pass needs it: sampling is the pipeline's own call. One small class for each family.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from einops import rearrange
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """One conditional text input of the UNet.

    Args:
        states: text states of n tokens.
        pooled: one vector for each prompt, for families that take one, else None.
    """

    states: Float[Tensor, "b n d"]
    pooled: Float[Tensor, "b p"] | None = None

    def repeated(self, times: int) -> Conditioning:
        """A single prompt repeated for a batch of `times`."""
        pooled = None if self.pooled is None else self.pooled.expand(times, -1)
        return Conditioning(self.states.expand(times, -1, -1), pooled)


class StableDiffusion:
    """Stable Diffusion 1 and 2 and models distilled from them: one text encoder, conditioning by text and time."""

    name = "sd"

    def __init__(self, pipe: DiffusionPipeline, device: torch.device) -> None:
        self.pipe = pipe
        self.device = device

    def encode(self, prompts: Sequence[str]) -> Conditioning:
        """Text states of the prompts by the pipeline itself, without guidance."""
        states, _ = self.pipe.encode_prompt(list(prompts), self.device, 1, False)
        return Conditioning(states)

    def unet_arguments(self, text: Conditioning, size: tuple[int, int]) -> dict[str, Any]:
        """The UNet's arguments beside sample and time, for images of `size` (H, W)."""
        arguments: dict[str, Any] = {"encoder_hidden_states": text.states}
        width = self.pipe.unet.config.time_cond_proj_dim
        if width is not None:  # guidance-distilled: the guidance is an input, here 0
            none = torch.zeros(len(text.states))
            embedding = self.pipe.get_guidance_scale_embedding(none, embedding_dim=width)
            arguments["timestep_cond"] = embedding.to(text.states)
        return arguments

    def to_vae(self, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The VAE decoder's input for sampler latents, by the pipeline's own arithmetic."""
        return latents / self.pipe.vae.config.scaling_factor

    def from_vae(self, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The inverse of :meth:`to_vae`."""
        return latents * self.pipe.vae.config.scaling_factor

    def decodes_in_float32(self) -> bool:
        """Whether the pipeline converts a half-precision VAE to float32 for decoding."""
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

    def to_vae(self, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if (shift := self._statistics(latents)) is None:
            return super().to_vae(latents)
        mean, std = shift
        return latents * std / self.pipe.vae.config.scaling_factor + mean

    def from_vae(self, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        if (shift := self._statistics(latents)) is None:
            return super().from_vae(latents)
        mean, std = shift
        return (latents - mean) * self.pipe.vae.config.scaling_factor / std

    def decodes_in_float32(self) -> bool:
        return self.pipe.vae.dtype == torch.float16 and bool(self.pipe.vae.config.force_upcast)

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor] | None:
        """Per-channel mean and deviation of the latents, each [1 c 1 1], if the VAE's config has them."""
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
    """Converts the VAE to another float type inside the block (half → float32 → half is exact)."""
    before = pipe.vae.dtype
    if before != dtype:
        pipe.vae.to(dtype=dtype)
    try:
        yield
    finally:
        if before != dtype:
            pipe.vae.to(dtype=before)

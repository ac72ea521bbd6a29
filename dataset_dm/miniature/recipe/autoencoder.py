"""First stage: the autoencoder learns to give back a render without its sensor noise."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from torch import Tensor

from dataset_dm.miniature.recipe.batches import Batches, with_sensor_noise
from dataset_dm.miniature.recipe.trainer import train
from dataset_dm.optimization.config import LoopConfig

# Per latent value. Large enough that latents are smooth for the denoiser, small enough to cost no sharpness.
KL_WEIGHT = 2e-4
EDGE_WEIGHT = 1.0
SQUARED_WEIGHT = 4.0


def train_autoencoder(
    vae: AutoencoderKL,
    batches: Batches,
    config: LoopConfig,
    folder: Path,
    *,
    crop: int | None = None,
    compiled: bool = False,
) -> None:
    """Trains `vae` in place; `crop`: side of the training crop."""
    device = batches.device
    vae.to(device)
    if device.type == "cuda":
        vae.to(memory_format=torch.channels_last)
    forward = torch.compile(_reconstruct) if compiled else _reconstruct

    def loss(index: int, generator: torch.Generator) -> dict[str, Tensor]:
        images, _ = batches.draw(config.batch, generator)
        if crop:
            images = _crop(images, crop, generator)
        noisy = with_sensor_noise(images, generator)
        if device.type == "cuda":
            noisy = noisy.contiguous(memory_format=torch.channels_last)
        unit = torch.randn(
            (len(images), vae.config.latent_channels, images.shape[2] // 8, images.shape[3] // 8),
            generator=generator,
            device=device,
        )
        output, mean, logvar = forward(vae, noisy, unit)
        total, parts = reconstruction_loss(output.float(), images, mean.float(), logvar.float())
        return {"loss": total, **parts}

    train({"vae": vae}, loss, config, folder)


def _reconstruct(vae: AutoencoderKL, images: Tensor, unit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean, logvar = vae.quant_conv(vae.encoder(images)).chunk(2, dim=1)
    logvar = logvar.clamp(-30.0, 20.0)
    latents = mean + torch.exp(0.5 * logvar) * unit
    return vae.decoder(vae.post_quant_conv(latents)), mean, logvar


def reconstruction_loss(
    output: Float[Tensor, "b 3 h w"],
    images: Float[Tensor, "b 3 h w"],
    mean: Float[Tensor, "b z i j"],
    logvar: Float[Tensor, "b z i j"],
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """L1 + squared + edges + KL. The squared part is what PSNR counts, the edges keep thin legs and spokes."""
    difference = output - images
    absolute, squared = difference.abs().mean(), difference.square().mean()
    edges = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    kl = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean()
    total = absolute + SQUARED_WEIGHT * squared + EDGE_WEIGHT * edges + KL_WEIGHT * kl
    return total, {"psnr": -10 * torch.log10(squared / 4), "kl": kl}


def _crop(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    height, width = images.shape[2:]
    y, x = (
        int(torch.randint(limit - side + 1, (1,), generator=generator, device=generator.device))
        for limit in (height, width)
    )
    return images[:, :, y : y + side, x : x + side]

"""Second stage: denoiser and text encoder learn from (latents, caption) pairs alone; no label enters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from jaxtyping import Float16, Int16
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from dataset_dm.miniature.recipe.batches import Batches, to_float
from dataset_dm.miniature.recipe.models import NOISE
from dataset_dm.miniature.recipe.trainer import train
from dataset_dm.optimization.config import LoopConfig

# share of captions replaced by the empty text, for classifier-free guidance and for unprompted labelling passes
DROP_CAPTION = 0.1


@torch.no_grad()
def encode_latents(
    vae: AutoencoderKL, batches: Batches, precision: str, batch: int = 256
) -> tuple[Float16[Tensor, "2 n c h w"], float]:
    """Latent means of every scene and of its mirror image, and 1 / their standard deviation."""
    vae = vae.to(batches.device).eval()
    sides: list[list[Tensor]] = [[], []]
    for start in range(0, len(batches.images), batch):
        images = to_float(batches.images[start : start + batch].to(batches.device))
        for mirrored, images_ in enumerate((images, images.flip(3))):
            with torch.autocast(batches.device.type, torch.bfloat16, enabled=precision == "bf16"):
                mean = vae.encode(images_).latent_dist.mean
            sides[mirrored].append(mean.half().to(batches.images.device))
    latents = torch.stack([torch.cat(side) for side in sides])
    sample = latents[0, :: max(1, latents.shape[1] // 4096)].float()
    return latents, 1.0 / float(sample.std())


def tokenize(captions: list[tuple[str, ...]], tokenizer: CLIPTokenizer) -> Int16[Tensor, "n captions tokens"]:
    """Token ids of the captions; as many captions for each scene as the scene with the fewest has."""
    each = min(len(texts) for texts in captions)
    flat = [text for texts in captions for text in texts[:each]]
    ids = tokenizer(flat, padding="max_length", truncation=True, return_tensors="np").input_ids
    return torch.from_numpy(ids.astype("int16")).reshape(len(captions), each, -1)


@dataclass(frozen=True, kw_only=True)
class Latents:
    """Training data of the generator.

    Args:
        latents: unscaled, of every scene and of its mirror image.
        tokens: of every caption.
        empty: tokens of the empty text.
        scale: of the latents, 1 / their standard deviation.
    """

    latents: Float16[Tensor, "2 n c h w"]
    tokens: Int16[Tensor, "n captions length"]
    empty: Int16[Tensor, " length"]
    scale: float


def train_text_to_image(
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    data: Latents,
    config: LoopConfig,
    folder: Path,
    device: torch.device,
    *,
    compiled: bool = False,
) -> None:
    """Trains `unet` and `text` in place by v-prediction."""
    noise_schedule = DDPMScheduler(**{key: value for key, value in NOISE.items() if key != "steps_offset"})
    alphas = noise_schedule.alphas_cumprod.to(device)
    unet.to(device), text.to(device)
    network = torch.compile(unet) if compiled else unet
    empty = data.empty.to(device).long()

    def loss(index: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean, ids = _draw(data.latents, data.tokens, config.batch, generator, device)
        drop = torch.rand(len(ids), generator=generator, device=device) < DROP_CAPTION
        ids = torch.where(drop[:, None], empty, ids)
        # stratified timesteps: every batch covers the whole range, which calms the loss
        spread = torch.arange(len(ids), device=device) + torch.rand(len(ids), generator=generator, device=device)
        t = (spread / len(ids) * len(alphas)).long().clamp(max=len(alphas) - 1)
        clean = clean.float() * data.scale
        noise = torch.randn(clean.shape, generator=generator, device=device)
        signal, spoil = alphas[t].sqrt()[:, None, None, None], (1 - alphas[t]).sqrt()[:, None, None, None]
        states = text(ids).last_hidden_state
        output = network(signal * clean + spoil * noise, t, states, return_dict=False)[0]
        error = (output.float() - (signal * noise - spoil * clean)).square().mean(dim=(1, 2, 3))
        quarter = max(1, len(ids) // 4)  # t rises along the batch
        return {"loss": error.mean(), "low noise": error[:quarter].mean(), "high noise": error[-quarter:].mean()}

    train({"unet": unet, "text": text}, loss, config, folder)


def _draw(latents: Tensor, tokens: Tensor, batch: int, generator: torch.Generator, device: torch.device):
    rows = torch.randint(tokens.shape[0], (batch,), generator=generator, device=device).to(latents.device)
    mirrored = torch.randint(2, (batch,), generator=generator, device=device).to(latents.device)
    which = torch.randint(tokens.shape[1], (batch,), generator=generator, device=device).to(tokens.device)
    ids = tokens[rows.to(tokens.device), which].to(device).long()
    return latents[mirrored, rows].to(device, non_blocking=True), ids

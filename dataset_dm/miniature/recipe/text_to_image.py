"""Second stage: denoiser and text encoder learn from (latents, caption) pairs alone; no label enters."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from dataset_dm.miniature.recipe.batches import Batches, to_float
from dataset_dm.miniature.recipe.models import NOISE
from dataset_dm.miniature.recipe.trainer import Schedule, Step, Trainer

# share of captions replaced by the empty text, for classifier-free guidance and for unprompted labelling passes
DROP_CAPTION = 0.1


@torch.no_grad()
def encode_latents(vae: AutoencoderKL, batches: Batches, precision: str, batch: int = 256) -> tuple[Tensor, float]:
    """Latent means of every scene and of its mirror image, half precision (2, n, c, h, w), and 1 / their deviation."""
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


def tokenize(captions: list[tuple[str, ...]], tokenizer: CLIPTokenizer) -> Tensor:
    """Token ids of the captions, int16 (n, captions a scene, tokens)."""
    each = min(len(texts) for texts in captions)
    flat = [text for texts in captions for text in texts[:each]]
    ids = tokenizer(flat, padding="max_length", truncation=True, return_tensors="np").input_ids
    return torch.from_numpy(ids.astype("int16")).reshape(len(captions), each, -1)


def train_text_to_image(
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    latents: Tensor,
    tokens: Tensor,
    empty: Tensor,
    scale: float,
    schedule: Schedule,
    folder: Path,
    device: torch.device,
    **options,
) -> None:
    """Train `unet` and `text` in place by v-prediction.

    latents: (2, n, c, h, w), unscaled; tokens: (n, captions, length); empty: (length,) tokens of the empty text;
    options: precision, compile, resume.
    """
    noise_schedule = DDPMScheduler(**{key: value for key, value in NOISE.items() if key != "steps_offset"})
    alphas = noise_schedule.alphas_cumprod.to(device)
    trainer = Trainer({"unet": unet, "text": text}, schedule, folder, device)
    if options.get("resume"):
        trainer.resume()
    network = torch.compile(unet) if options.get("compile") else unet
    empty = empty.to(device).long()

    def loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        clean, ids = _draw(latents, tokens, schedule.batch, step.generator, device)
        drop = torch.rand(len(ids), generator=step.generator, device=device) < DROP_CAPTION
        ids = torch.where(drop[:, None], empty, ids)
        # stratified timesteps: every batch covers the whole range, which calms the loss
        spread = torch.arange(len(ids), device=device) + torch.rand(len(ids), generator=step.generator, device=device)
        t = (spread / len(ids) * len(alphas)).long().clamp(max=len(alphas) - 1)
        clean = clean.float() * scale
        noise = torch.randn(clean.shape, generator=step.generator, device=device)
        signal, spoil = alphas[t].sqrt()[:, None, None, None], (1 - alphas[t]).sqrt()[:, None, None, None]
        with torch.autocast(device.type, torch.bfloat16, enabled=options.get("precision") == "bf16"):
            states = text(ids).last_hidden_state
            output = network(signal * clean + spoil * noise, t, states, return_dict=False)[0]
        error = (output.float() - (signal * noise - spoil * clean)).square().mean(dim=(1, 2, 3))
        quarter = max(1, len(ids) // 4)  # t rises along the batch
        return error.mean(), {"low noise": error[:quarter].mean(), "high noise": error[-quarter:].mean()}

    trainer.run(loss)
    trainer.load_average()


def _draw(latents: Tensor, tokens: Tensor, batch: int, generator: torch.Generator, device: torch.device):
    rows = torch.randint(tokens.shape[0], (batch,), generator=generator, device=device).to(latents.device)
    mirrored = torch.randint(2, (batch,), generator=generator, device=device).to(latents.device)
    which = torch.randint(tokens.shape[1], (batch,), generator=generator, device=device).to(tokens.device)
    ids = tokens[rows.to(tokens.device), which].to(device).long()
    return latents[mirrored, rows].to(device, non_blocking=True), ids

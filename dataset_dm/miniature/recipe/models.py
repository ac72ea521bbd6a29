"""The networks of Miniature: a small latent text-to-image model in ordinary Stable Diffusion form.

Sizes answer to two limits: an image must take about a second on two CPU cores, and all files together stay under 40 MB
in half precision. Attention, self and cross, runs at all three grids, the full 16 x 16 latent grid included, because
labels are read from it.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

IMAGE_SIZE = 128
LATENT_SIZE = 16
LATENT_CHANNELS = 8
TEXT_WIDTH = 192
MAX_TOKENS = 77

# What training noises with and what the shipped scheduler undoes. Zero terminal SNR: otherwise the last training step
# still shows the image's mean, and samples come out with a mean of their own.
NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "steps_offset": 1,
}


def autoencoder() -> AutoencoderKL:
    """KL autoencoder, 128 x 128 x 3 -> 16 x 16 x 8."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 64, 128, 128),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=IMAGE_SIZE,
    )


def unet() -> UNet2DConditionModel:
    """Denoiser over the 16 x 16 grid with self- and cross-attention at 16, 8 and 4."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(128, 144, 160),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        mid_block_type="UNetMidBlock2DCrossAttn",
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,  # diffusers reads this as the number of heads
        norm_num_groups=16,
    )


def text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A CLIP text transformer of three layers, trained together with the denoiser."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def scheduler() -> DPMSolverMultistepScheduler:
    """A deterministic second-order solver: 20 steps are enough."""
    return DPMSolverMultistepScheduler(**NOISE)


def pipeline(vae: AutoencoderKL, net: UNet2DConditionModel, text: CLIPTextModel, tokenizer: CLIPTokenizer):
    """Join the trained parts to a stock StableDiffusionPipeline."""
    return StableDiffusionPipeline(
        vae=vae,
        unet=net,
        text_encoder=text,
        tokenizer=tokenizer,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save_pipeline(pipe: StableDiffusionPipeline, folder: str | Path) -> None:
    """Save `pipe` in half precision, files under 16 MB, so that plain `from_pretrained(folder)` runs in float32."""
    folder = Path(folder)
    _write_bpe_files(pipe.tokenizer, folder / "tokenizer")
    halves = {name: getattr(pipe, name) for name in ("vae", "unet", "text_encoder")}
    for module in halves.values():
        module.to(torch.float16)
    pipe.save_pretrained(folder, safe_serialization=True, max_shard_size="14MB")
    for module in halves.values():
        module.to(torch.float32)
    # without a dtype in its config transformers opens a half-precision file in half precision, diffusers in float32
    config = folder / "text_encoder" / "config.json"
    entries = json.loads(config.read_text())
    entries.pop("torch_dtype", None)
    entries["dtype"] = "float32"
    config.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n")
    rename_text_weights(folder / "text_encoder" / "model.safetensors")


def rename_text_weights(file: Path) -> None:
    """Names a text encoder's weights `text_model.…`, as all Stable Diffusion folders do.

    transformers 5 writes them without, which transformers 4 does not know: it would fill in random weights.
    """
    prefix = "text_model."
    weights = load_file(file)
    named = {name if name.startswith(prefix) else prefix + name: weight for name, weight in weights.items()}
    save_file(named, file, metadata={"format": "pt"})


def _write_bpe_files(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """vocab.json and merges.txt beside tokenizer.json: releases of transformers before 5 read only these."""
    folder.mkdir(parents=True, exist_ok=True)
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), encoding="utf-8")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")

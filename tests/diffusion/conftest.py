"""Pipelines of the real topologies at a fraction of their width, with random weights and the embedded tokenizer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from dataset_dm.diffusion import Backbone
from dataset_dm.miniature.world import labelled

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def text_config(tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def autoencoder(channels: tuple[int, ...], **more: object) -> AutoencoderKL:
    """Stable Diffusion's topology: two layers a block, 4 latent channels."""
    return AutoencoderKL(
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=2,
        norm_num_groups=4,
        latent_channels=4,
        **more,
    )


@pytest.fixture(scope="session")
def sd15_folder(generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion 1.5's topology at a tenth of the UNet's width (320 → 32), 512² images, DDIM, epsilon."""
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(generator_folder / "tokenizer")
    unet = UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64, 128, 128),
        layers_per_block=2,
        cross_attention_dim=24,
        attention_head_dim=8,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    )
    pipe = StableDiffusionPipeline(
        vae=autoencoder((4, 8, 16, 16)),
        text_encoder=CLIPTextModel(text_config(tokenizer, 24)),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    folder = tmp_path_factory.mktemp("sd15")
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sd15(sd15_folder: Path) -> Backbone:
    return Backbone.load(sd15_folder, device="cpu")


@pytest.fixture(scope="session")
def sdxl_folder(generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion XL's topology, narrow: two text encoders, size conditioning, several blocks a transformer."""
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(generator_folder / "tokenizer")
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(16, 32, 32),
        layers_per_block=2,
        cross_attention_dim=24 + 16,
        attention_head_dim=(2, 4, 4),
        transformer_layers_per_block=(1, 2, 3),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )
    pipe = StableDiffusionXLPipeline(
        vae=autoencoder((4, 8, 8, 8), latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.5, 1.0, 2.0]),
        text_encoder=CLIPTextModel(text_config(tokenizer, 24)),
        text_encoder_2=CLIPTextModelWithProjection(text_config(tokenizer, 16)),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1),
        add_watermarker=False,
    )
    folder = tmp_path_factory.mktemp("sdxl")
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def lcm_folder(sd15_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A latent consistency model of that topology: its UNet takes the guidance as an input."""
    folder = tmp_path_factory.mktemp("lcm") / "pipe"
    pipe = StableDiffusionPipeline.from_pretrained(sd15_folder, safety_checker=None)
    torch.manual_seed(0)
    pipe.unet = UNet2DConditionModel.from_config(pipe.unet.config, time_cond_proj_dim=16)
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def lcm_lora_folder(sd15_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ordinary UNet with a few-step scheduler, as one with a distillation LoRA merged in."""
    folder = tmp_path_factory.mktemp("lcm_lora") / "pipe"
    pipe = StableDiffusionPipeline.from_pretrained(sd15_folder, safety_checker=None)
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def renders() -> tuple[torch.Tensor, list[int]]:
    """Four test renders that show one class each: (images, class positions)."""
    images, shown = [], []
    for index in range(60):
        rendering = labelled("test", 7000 + index)[1]
        present = sorted(set(np.unique(rendering.class_map).tolist()) - {0})
        if len(present) == 1 and len(images) < 4:
            images.append(rendering.image)
            shown.append(present[0] - 1)
    return torch.from_numpy(np.stack(images)), shown

"""Pipelines by their configs: sizes, default sampler, and refused folders."""

import json
from pathlib import Path

import pytest
import torch

from dataset_dm.errors import GeneratorError
from dataset_dm.models.generators import PipelineFacts, check_pipeline, find_generator, pipeline_facts

SD = {"unet": {"sample_size": 64}, "vae": {"block_out_channels": [1] * 4}, "scheduler": "DDIMScheduler", "hints": None}


def facts(**changed: object) -> PipelineFacts:
    return PipelineFacts(**{**SD, **changed})


def test_sizes_of_stable_diffusion() -> None:
    assert (facts().vae_stride, facts().size_multiple, facts().native_size) == (8, 64, (512, 512))
    wide = facts(unet={"sample_size": [96, 64], "block_out_channels": [320, 640, 1280]})
    assert (wide.size_multiple, wide.native_size) == (32, (768, 512))


def test_missing_blocks_of_a_config_are_diffusers_defaults() -> None:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    assert facts(vae={}).vae_stride == 2 ** (len(AutoencoderKL().config.block_out_channels) - 1)
    with torch.device("meta"):  # without storage for its weights
        unet = UNet2DConditionModel()
    assert facts().size_multiple == 8 * 2 ** (len(unet.config.block_out_channels) - 1)


def test_default_samplers() -> None:
    assert facts().sampler == {"steps": 30, "guidance": 7.5}
    assert facts(scheduler="LCMScheduler").sampler == {"steps": 4, "guidance": None}
    guided = facts(unet={"sample_size": 64, "time_cond_proj_dim": 256}, scheduler="LCMScheduler")
    assert guided.sampler == {"steps": 4, "guidance": 7.5}
    assert facts(hints={"guidance": 2.5}, scheduler="LCMScheduler").sampler == {"steps": 30, "guidance": 2.5}


def test_facts_of_the_embedded_generator() -> None:
    found = pipeline_facts(find_generator("miniature"))
    assert (found.size_multiple, found.native_size) == (32, (128, 128))
    assert (
        found.scheduler
        == json.loads((find_generator("miniature").path / "scheduler" / "scheduler_config.json").read_text())[
            "_class_name"
        ]
    )


def test_planning_needs_fewer_components_than_loading(copied: Path) -> None:
    check_pipeline(copied, complete=True)
    (copied / "tokenizer").rename(copied / "away")
    check_pipeline(copied)
    with pytest.raises(GeneratorError, match="incomplete, the folder 'tokenizer' is missing"):
        check_pipeline(copied, complete=True)


@pytest.mark.parametrize(("suffix", "said"), [(".bin", "pickled weights only .\\.bin."), (".md", "no weights")])
def test_weights_that_are_not_safetensors(copied: Path, suffix: str, said: str) -> None:
    for file in (copied / "vae").glob("*.safetensors"):
        file.rename(file.with_suffix(suffix))
    with pytest.raises(GeneratorError, match=f"'vae' has {said}, expected safetensors; save it again"):
        find_generator(copied)


@pytest.mark.parametrize(
    ("text", "said"), [("{", "not JSON"), ("[]", "remote code"), ('{"_class_name": ["a", "B"]}', "remote code")]
)
def test_bad_indices(copied: Path, text: str, said: str) -> None:
    (copied / "model_index.json").write_text(text)
    with pytest.raises(GeneratorError, match=said) as caught:
        find_generator(copied)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_unet(copied: Path) -> None:
    (copied / "unet" / "config.json").unlink()
    with pytest.raises(GeneratorError, match="no UNet with an autoencoder in it: expected a UNet pipeline"):
        pipeline_facts(find_generator(copied))

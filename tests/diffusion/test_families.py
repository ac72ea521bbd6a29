"""The same code on the topologies of Stable Diffusion 1.5 and XL, narrow and with random weights."""

from pathlib import Path

import pytest
import torch

from dataset_dm.diffusion import (
    Backbone,
    SamplerConfig,
    TapRequest,
    decode_latents,
    default_sampler,
    encode_classes,
    encode_images,
    feature_spec,
    read_features,
    sample,
    to_uint8,
)
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.models.generators import find_generator, pipeline_facts
from dataset_dm.plan.resolve import resolve


@pytest.fixture(scope="module")
def sdxl(sdxl_folder: Path) -> Backbone:
    return Backbone.load(sdxl_folder, device="cpu")


def test_whole_path_on_stable_diffusion_15(sd15: Backbone) -> None:
    spec = feature_spec(sd15)
    size = (64, 128)
    drawn = sample(sd15, ["a dog"], [3], SamplerConfig(steps=2), size=size, taps=TapRequest(levels=spec.names("vae")))
    text = encode_classes(sd15, ["dog", "potted plant"])
    recorded = read_features(sd15, drawn.latents, ["a dog"], text, spec, [3], drawn.levels, drawn.images)
    again = read_features(sd15, drawn.latents, ["a dog"], text, spec, [3])
    assert all(torch.equal(recorded.levels[name], again.levels[name]) for name in spec.names())
    assert recorded.image_size == size
    assert recorded.class_attention.shape == (1, 2, spec.attention_heads, 8, 16)


def test_whole_path_on_stable_diffusion_xl(sdxl: Backbone) -> None:
    assert sdxl.family.name == "sdxl" and sdxl.text_width == 40
    spec = feature_spec(sdxl)
    vae = TapRequest(levels=spec.names("vae"))
    drawn = sample(sdxl, ["a dog", "a car"], [3, 4], SamplerConfig(steps=2, guidance=3.0), taps=vae)
    assert torch.equal(to_uint8(decode_latents(sdxl, drawn.latents)), drawn.images)
    text = encode_classes(sdxl, ["dog", "potted plant"])
    features = read_features(sdxl, drawn.latents, ["a dog", "a car"], text, spec, [3, 4], drawn.levels, drawn.images)
    assert features.class_attention.shape[:3] == (2, 2, spec.attention_heads)
    # the last down block has two attentions of three layers each, and each layer is its own map
    assert {f"unet.down.2.attention.{j}.{n}" for j in range(2) for n in range(3)} <= set(sdxl.attention_taps)


def test_xl_labelling_pass_is_the_pass_its_own_pipeline_makes(sdxl: Backbone) -> None:
    """Text, pooled vector and size ids are compared as they enter the UNet."""
    seen: list[dict] = []
    handle = sdxl.pipe.unet.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs), with_kwargs=True
    )
    try:
        drawn = sample(sdxl, ["a dog"], [3], SamplerConfig(steps=1, guidance=None))
        read_features(sdxl, drawn.latents, ["a dog"], encode_classes(sdxl, ["dog"]), feature_spec(sdxl), [3])
    finally:
        handle.remove()
    pipeline, ours = seen
    assert torch.equal(pipeline["encoder_hidden_states"], ours["encoder_hidden_states"])
    for name, value in pipeline["added_cond_kwargs"].items():
        assert torch.equal(value, ours["added_cond_kwargs"][name]), name


def test_xl_latent_statistics_are_undone_by_encoding(sdxl: Backbone) -> None:
    latents = torch.randn(2, 4, 8, 8)
    assert torch.allclose(sdxl.family.from_vae(sdxl.family.to_vae(latents)), latents, atol=1e-5)
    plain = latents / sdxl.pipe.vae.config.scaling_factor
    assert torch.allclose(sdxl.family.to_vae(latents)[:, 0], plain[:, 0] * 1.5 + 0.1, atol=1e-4)
    images = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    assert encode_images(sdxl, images).shape == (1, 4, 8, 8)


def test_half_precision_xl_lifts_its_vae_and_puts_it_back(sdxl_folder: Path) -> None:
    half = Backbone.load(sdxl_folder, device="cpu", dtype="float16")
    assert half.pipe.vae.config.force_upcast
    kinds = []
    half.pipe.vae.decoder.register_forward_pre_hook(lambda module, args: kinds.append(args[0].dtype))
    decode_latents(half, torch.randn(1, 4, 8, 8))
    encoded = encode_images(half, torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
    assert kinds == [torch.float32] and half.pipe.vae.dtype == torch.float16
    assert encoded.dtype == torch.float16 and encoded.isfinite().all()


SAMPLERS = {
    "sd15_folder": (30, 7.5, "DDIMScheduler"),
    "sdxl_folder": (30, 7.5, "EulerDiscreteScheduler"),
    "lcm_folder": (4, 7.5, "LCMScheduler"),
    "lcm_lora_folder": (4, None, "LCMScheduler"),
}


@pytest.mark.parametrize("family", SAMPLERS)
def test_plan_and_backbone_agree_on_sampler_and_sizes(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    loaded, read = Backbone.load(folder, device="cpu"), pipeline_facts(find_generator(folder))
    plan = resolve(SEMANTIC, generator=str(folder), annotator="attention", classes=["dog"])
    assert (plan.steps, plan.guidance, plan.scheduler) == SAMPLERS[family]
    assert default_sampler(loaded) == SamplerConfig(steps=plan.steps, guidance=plan.guidance)
    assert loaded.facts.scheduler == plan.scheduler
    assert plan.size == loaded.native_size == read.native_size
    assert loaded.size_multiple == read.size_multiple == max(level.stride for level in loaded.levels())
    assert loaded.vae_stride == read.vae_stride
    assert plan.generator_hash == loaded.fingerprint
    assert loaded.device == torch.device("cpu") and loaded.dtype == torch.float32

"""Sampling: the pipeline's own call, one seed per sample."""

import warnings
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from dataset_dm.diffusion import Backbone, SamplerConfig, TapRequest, default_sampler, encode_classes, sample
from dataset_dm.errors import ConfigError

QUICK = SamplerConfig(steps=2, guidance=3.0)
PROMPTS = ["a red car", "two dogs on a field", "a chair"]


@pytest.fixture(scope="module")
def drawn(backbone: Backbone):
    return sample(backbone, PROMPTS, [1, 2, 3], QUICK)


def test_shapes_and_types(backbone: Backbone, drawn) -> None:
    height, width = backbone.native_size
    assert drawn.images.shape == (3, height, width, 3) and drawn.images.dtype == torch.uint8
    assert drawn.latents.shape[2:] == (height // 8, width // 8) and drawn.latents.dtype == torch.float32
    assert drawn.unsafe == [False] * 3
    assert drawn.levels == {} and drawn.class_attention is None


def test_same_call_twice_gives_the_same_bytes(backbone: Backbone, drawn) -> None:
    again = sample(backbone, PROMPTS, [1, 2, 3], QUICK)
    assert torch.equal(again.images, drawn.images) and torch.equal(again.latents, drawn.latents)


def test_a_sample_depends_on_its_own_prompt_and_seed_alone(backbone: Backbone, drawn) -> None:
    other = sample(backbone, ["a boat", PROMPTS[1], "a bus"], [8, 2, 9], QUICK)
    assert torch.equal(other.latents[1], drawn.latents[1])  # same batch size: to the last bit
    assert not torch.equal(other.latents[0], drawn.latents[0])
    alone = sample(backbone, PROMPTS[1:2], [2], QUICK)
    assert torch.allclose(alone.latents[0], drawn.latents[1], atol=1e-3)
    difference = alone.images[0].int() - drawn.images[1].int()
    assert difference.abs().max() <= 2


def test_seed_matters(backbone: Backbone, drawn) -> None:
    other = sample(backbone, PROMPTS, [1, 2, 4], QUICK)
    assert not torch.equal(other.latents[2], drawn.latents[2])


def test_stock_diffusers_gives_the_same_images(backbone: Backbone, drawn) -> None:
    stock = StableDiffusionPipeline.from_pretrained(backbone.folder)
    stock.set_progress_bar_config(disable=True)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in (1, 2, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        images = stock(PROMPTS, num_inference_steps=2, guidance_scale=3.0, generator=generators).images
    for ours, theirs in zip(drawn.images, images, strict=True):
        assert ours.numpy().tobytes() == theirs.tobytes()


def test_without_guidance_there_is_one_pass_a_step(backbone: Backbone) -> None:
    rows = []
    handle = backbone.pipe.unet.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))
    try:
        for guidance, expected in [(None, 1), (1.0, 1), (0.0, 1), (4.0, 2)]:
            rows.clear()
            sample(backbone, ["a dog"], [5], SamplerConfig(steps=1, guidance=guidance))
            assert rows == [expected]
    finally:
        handle.remove()


def test_non_square(backbone: Backbone) -> None:
    step = backbone.size_multiple
    wide = sample(backbone, ["a bus"], [1], QUICK, size=(step, 3 * step))
    assert wide.images.shape == (1, step, 3 * step, 3)
    with pytest.raises(ConfigError, match="multiples"):
        sample(backbone, ["a bus"], [1], QUICK, size=(step, step + 8))


def test_scheduler_by_name_is_used_and_given_back(backbone: Backbone, drawn) -> None:
    own = backbone.pipe.scheduler
    ancestral = SamplerConfig(steps=2, guidance=3.0, scheduler="EulerAncestralDiscreteScheduler")
    first = sample(backbone, PROMPTS, [1, 2, 3], ancestral)
    assert backbone.pipe.scheduler is own
    assert not torch.equal(first.latents, drawn.latents)
    # its noise on the way comes from the sample's own generator
    second = sample(backbone, ["a boat", PROMPTS[1], "a bus"], [8, 2, 9], ancestral)
    assert torch.equal(second.latents[1], first.latents[1])


def test_long_prompt_warns(backbone: Backbone) -> None:
    with pytest.warns(UserWarning, match="'a cat or a cat or .*its end is cut off"):
        sample(backbone, ["a cat or " * 40], [1], SamplerConfig(steps=1, guidance=None))


def test_sampling_is_silent(backbone: Backbone, capfd: pytest.CaptureFixture[str]) -> None:
    sample(backbone, ["a dog"], [1], SamplerConfig(steps=1, guidance=None))
    assert capfd.readouterr() == ("", "")


def test_unsafe_flags_are_the_pipelines_own(generator_folder: Path, tmp_path: Path) -> None:
    """With a real, if tiny, safety checker in the folder; its thresholds decide, its weights are random."""
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPVisionConfig

    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**small, image_size=32, patch_size=16, projection_dim=8)
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision.to_dict(), projection_dim=8))
    plain = StableDiffusionPipeline.from_pretrained(generator_folder)
    for threshold, flagged in [(2.0, False), (-2.0, True)]:  # cosines lie between
        checker.concept_embeds_weights.data.fill_(threshold)
        extractor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
        parts = {**plain.components, "safety_checker": checker, "feature_extractor": extractor}
        StableDiffusionPipeline(**parts).save_pretrained(tmp_path / str(flagged))
        watched = Backbone.load(tmp_path / str(flagged), device="cpu")
        drawn = sample(watched, PROMPTS, [1, 2, 3], SamplerConfig(steps=1, guidance=None))
        assert drawn.unsafe == [flagged] * 3
        assert bool(drawn.images.any()) is not flagged  # a flagged image comes back black


def test_taps_change_nothing(backbone: Backbone, drawn) -> None:
    names = ("unet.mid", "unet.up.0.layer.0", "vae.up.0.layer.0")
    request = TapRequest(
        levels=names, class_text=encode_classes(backbone, ["car", "dog"]), attention=tuple(backbone.attention_taps)
    )
    tapped = sample(backbone, PROMPTS, [1, 2, 3], QUICK, taps=request)
    assert torch.equal(tapped.latents, drawn.latents) and torch.equal(tapped.images, drawn.images)
    assert set(tapped.levels) == set(names) and all(len(value) == 3 for value in tapped.levels.values())
    assert tapped.class_attention is not None and tapped.class_attention.shape[:2] == (3, 2)


def test_taps_keep_the_conditional_half_of_the_last_step(backbone: Backbone) -> None:
    seen = []
    module = backbone.level_taps["unet.mid"].module
    handle = module.register_forward_hook(lambda module, args, output: seen.append(output))
    try:
        tapped = sample(backbone, PROMPTS[:2], [1, 2], QUICK, taps=TapRequest(levels=("unet.mid",)))
    finally:
        handle.remove()
    assert len(seen) == 2 and len(seen[-1]) == 4
    assert torch.equal(tapped.levels["unet.mid"], seen[-1][2:])


def test_config_is_checked_at_birth() -> None:
    for values, message in [
        ({"steps": 0}, "steps"),
        ({"steps": "30"}, "steps"),
        ({"steps": True}, "steps"),
        ({"guidance": -1}, "guidance"),
        ({"guidance": float("nan")}, "guidance"),
        ({"guidance": "7"}, "guidance"),
        ({"scheduler": 3}, "scheduler"),
        ({"scheduler": "EulerDiscreteSheduler"}, "did you mean 'EulerDiscreteScheduler'"),
        ({"step": 30}, "unknown key 'step'; expected steps, guidance, scheduler; did you mean 'steps'"),
    ]:
        with pytest.raises(ConfigError, match=message):
            SamplerConfig.from_dict(values)


def test_config_round_trip() -> None:
    config = SamplerConfig(steps=4, guidance=None, scheduler="DDIMScheduler")
    assert SamplerConfig.from_dict(config.to_dict()) == config


def test_default_sampler_reads_the_folders_hint(copied) -> None:
    (copied / "sampler.json").write_text('{"steps": 12, "guidance": 2.5}')
    assert default_sampler(Backbone.load(copied, device="cpu")) == SamplerConfig(steps=12, guidance=2.5)


@pytest.mark.parametrize(
    ("prompts", "seeds"), [([], []), ("a dog", [1]), (["a"], [1, 2]), (["a"], [-1]), (["a"], [1.0]), ([None], [1])]
)
def test_bad_calls(backbone: Backbone, prompts: object, seeds: object) -> None:
    with pytest.raises(ConfigError, match="prompts|seed"):
        sample(backbone, prompts, seeds, QUICK)

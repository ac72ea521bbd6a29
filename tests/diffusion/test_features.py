"""The parity pass: noise by formula, equal features recorded or decoded, independent samples."""

from dataclasses import replace
from inspect import unwrap

import pytest
import torch

from dataset_dm.diffusion import (
    Backbone,
    SamplerConfig,
    Samples,
    TapRequest,
    add_noise,
    decode_latents,
    encode_classes,
    encode_images,
    feature_spec,
    labelling_seed,
    read_features,
    sample,
    to_pixels,
    to_uint8,
)
from dataset_dm.errors import AnnotatorMismatch, ConfigError
from dataset_dm.hypercolumns import Features, FeatureSpec

PROMPTS = ["a red car", "two dogs on a field", ""]
SEEDS = [11, 12, 13]
CLASSES = ["car", "dog", "tv monitor"]


@pytest.fixture(scope="module")
def spec(backbone: Backbone) -> FeatureSpec:
    return feature_spec(backbone)


@pytest.fixture(scope="module")
def drawn(backbone: Backbone, spec: FeatureSpec) -> Samples:
    request = TapRequest(levels=spec.names("vae"))
    return sample(backbone, PROMPTS, SEEDS, SamplerConfig(steps=2, guidance=3.0), taps=request)


def read(backbone: Backbone, drawn: Samples, spec: FeatureSpec, rows: list[int], **more: object) -> Features:
    return read_features(
        backbone,
        drawn.latents[rows],
        [PROMPTS[i] for i in rows],
        encode_classes(backbone, CLASSES),
        spec,
        [SEEDS[i] for i in rows],
        **more,
    )


def equal(one: Features, other: Features) -> bool:
    same = all(torch.equal(one.levels[name], other.levels[name]) for name in one.spec.names())
    return same and torch.equal(one.class_attention, other.class_attention)


def test_features_match_their_spec(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    features = read(backbone, drawn, spec, [0, 1, 2])
    height, width = backbone.native_size
    assert tuple(features.levels) == spec.names()
    for level in spec.levels:
        expected = (3, level.channels, height // level.stride, width // level.stride)
        assert features.levels[level.name].shape == expected
        assert features.levels[level.name].dtype == torch.float32
    assert features.class_attention.shape[:3] == (3, len(CLASSES), spec.attention_heads)
    assert features.class_text.shape == (len(CLASSES), backbone.text_width)


def test_recorded_levels_equal_decoded_ones(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    recorded = read(backbone, drawn, spec, [0, 1, 2], vae_levels=drawn.levels, images=drawn.images)
    again = read(backbone, drawn, spec, [0, 1, 2])
    assert equal(recorded, again)
    assert torch.equal(to_uint8(decode_latents(backbone, drawn.latents)), drawn.images)


def test_recorded_levels_are_not_decoded_again(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    calls = []
    handle = backbone.pipe.vae.decoder.register_forward_pre_hook(lambda module, args: calls.append(1))
    try:
        read(backbone, drawn, spec, [0, 1, 2], vae_levels=drawn.levels, images=drawn.images)
        assert calls == []
        read(backbone, drawn, spec, [0, 1, 2], images=drawn.images)
        assert calls == [1]
    finally:
        handle.remove()


def test_batch_agrees_with_one_by_one(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    together = read(backbone, drawn, spec, [0, 1, 2])
    for row in range(3):
        alone = read(backbone, drawn, spec, [row])
        for name in spec.names():
            if name == "image":  # rounded to 8 bits: one step at most
                assert (alone.levels[name] - together.levels[name][row]).abs().max() <= 1.01 / 127.5
                continue
            scale = together.levels[name][row].abs().max()
            assert (alone.levels[name][0] - together.levels[name][row]).abs().max() <= 1e-4 * scale, name
        assert torch.allclose(alone.class_attention[0], together.class_attention[row], atol=1e-4)


def close(one: Features, other: Features) -> bool:
    """Equal within the stated tolerance: with several threads, rounding depends on a sample's place in the batch."""
    pairs = [(one.levels[name], other.levels[name]) for name in (*one.spec.names("unet"), *one.spec.names("vae"))]
    pairs.append((one.class_attention, other.class_attention))
    image = (one.levels["image"] - other.levels["image"]).abs().max() * 127.5  # in steps of 8 bits
    return all((a - b).abs().max() <= 1e-4 * a.abs().max() for a, b in pairs) and bool(image < 2.01)


def test_order_of_the_batch_does_not_matter(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    straight = read(backbone, drawn, spec, [0, 1, 2])
    shuffled = read(backbone, drawn, spec, [2, 0, 1])
    assert close(straight.select([2, 0, 1]), shuffled)
    assert not close(straight, shuffled)


def test_class_list_permutes_the_evidence_alone(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    plain = read(backbone, drawn, spec, [0, 1, 2])
    text = encode_classes(backbone, ["boat", *reversed(CLASSES)])
    other = read_features(backbone, drawn.latents, PROMPTS, text, spec, SEEDS)
    assert equal(other.select_classes([3, 2, 1]), plain)
    assert torch.equal(other.class_text[[3, 2, 1]], plain.class_text)


def test_features_can_be_trained_on(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    features = read(backbone, drawn, spec, [0])
    weight = torch.ones(1, requires_grad=True)
    (features.levels["unet.mid"] * weight).sum().backward()  # inference-mode tensors would refuse
    assert weight.grad is not None and not features.levels["unet.mid"].requires_grad


def test_noise_follows_the_formula(backbone: Backbone) -> None:
    latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    config = backbone.pipe.scheduler.config
    assert config.beta_schedule == "scaled_linear"
    betas = torch.linspace(config.beta_start**0.5, config.beta_end**0.5, config.num_train_timesteps) ** 2
    signal = (1 - betas).cumprod(0).sqrt()
    if config.rescale_betas_zero_snr:  # shifted and stretched so that the last signal is 0 and the first stays
        signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])
    for time in (0, 20, 700):
        noised = add_noise(backbone, latents, time, [1, 2])
        for row, seed in enumerate([1, 2]):
            generator = torch.Generator().manual_seed(labelling_seed(seed))
            noise = torch.randn(4, 8, 8, generator=generator)
            expected = signal[time] * latents[row] + (1 - signal[time] ** 2).sqrt() * noise
            assert torch.allclose(noised[row], expected, atol=1e-4)


def test_noise_belongs_to_the_sample(backbone: Backbone) -> None:
    latents = torch.zeros(3, 4, 8, 8)
    noised = add_noise(backbone, latents, 500, [7, 8, 7])
    assert torch.equal(noised[0], noised[2]) and not torch.equal(noised[0], noised[1])
    assert torch.equal(add_noise(backbone, latents[:1], 500, [8])[0], noised[1])


def test_labelling_noise_is_not_the_noise_the_image_began_with() -> None:
    seeds = [labelling_seed(seed) for seed in range(100)]
    assert len(set(seeds)) == 100 and not set(seeds) & set(range(100))
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("time", [-1, 1000, 2.0, True])
def test_timestep_is_checked(backbone: Backbone, time: object) -> None:
    with pytest.raises(ConfigError, match="timestep"):
        add_noise(backbone, torch.zeros(1, 4, 8, 8), time, [1])


def test_pixels_go_from_minus_one_to_one() -> None:
    image = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)
    assert to_pixels(image).flatten().tolist() == pytest.approx([-1, 1, -0.6])
    with pytest.raises(ConfigError, match="uint8"):
        unwrap(to_pixels)(image.float())
    with pytest.raises(ConfigError, match="uint8"):
        unwrap(to_pixels)(image[0])


def test_images_are_encoded_by_mode_and_factor(backbone: Backbone, drawn: Samples) -> None:
    latents = encode_images(backbone, drawn.images)
    vae = backbone.pipe.vae
    with torch.no_grad():
        moments = vae.quant_conv(vae.encoder(to_pixels(drawn.images)))
    mean = moments.chunk(2, dim=1)[0]
    assert torch.equal(latents, mean * vae.config.scaling_factor)
    with pytest.raises(ConfigError, match="multiples"):
        encode_images(backbone, torch.zeros(1, 40, 128, 3, dtype=torch.uint8))


def test_another_generators_spec_is_refused_naming_both(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    foreign = replace(spec, generator="0123456789abcdef")
    with pytest.raises(AnnotatorMismatch, match=f"0123456789abcdef.*{backbone.fingerprint}"):
        read(backbone, drawn, foreign, [0])


def test_unequal_counts(backbone: Backbone, drawn: Samples, spec: FeatureSpec) -> None:
    text = encode_classes(backbone, CLASSES)
    with pytest.raises(ConfigError, match="prompts"):
        read_features(backbone, drawn.latents, PROMPTS[:2], text, spec, SEEDS)
    with pytest.raises(ConfigError, match="seeds"):
        read_features(backbone, drawn.latents, PROMPTS, text, spec, SEEDS[:2])

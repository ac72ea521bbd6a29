"""Presence of requested classes by what naming them explains, on the shipped generator and renders of its world."""

import pytest
import torch

from dataset_dm.diffusion import (
    Backbone,
    Evidence,
    add_noise,
    class_prompt,
    encode_images,
    explained,
    read_attention,
    read_evidence,
)
from dataset_dm.diffusion.class_presence import RIDGE, _encode
from dataset_dm.errors import ConfigError
from dataset_dm.labels.vocabulary import VOC_CLASSES, display_name

NAMES = tuple(display_name(name) for name in VOC_CLASSES)
SEEDS = [1, 2, 3, 4]
TIMESTEPS = (100, 400)


@pytest.fixture(scope="module")
def requested(renders: tuple[torch.Tensor, list[int]]) -> list[tuple[str, str]]:
    """Of each render the class that it shows, then one that it does not."""
    return [(NAMES[shown], NAMES[(shown + 7) % len(NAMES)]) for shown in renders[1]]


@pytest.fixture(scope="module")
def evidence(backbone: Backbone, renders, requested) -> Evidence:
    return read_evidence(backbone, encode_images(backbone, renders[0]), requested, SEEDS, timesteps=TIMESTEPS)


def test_present_classes_explain_more_than_absent_ones(evidence: Evidence) -> None:
    present, absent = torch.stack(evidence.explained).unbind(dim=1)
    assert present.mean() > 0.5 > absent.mean() + 0.2
    assert all(len(evidence.attention.class_maps(row)) == 2 for row in range(4))
    assert evidence.attention.passes == len(TIMESTEPS)


def test_an_image_does_not_depend_on_the_rest_of_the_batch(backbone: Backbone, renders, requested, evidence) -> None:
    latents = encode_images(backbone, renders[0][2:3])
    alone = read_evidence(backbone, latents, [requested[2][::-1]], SEEDS[2:3], timesteps=TIMESTEPS)
    assert torch.allclose(alone.explained[0], evidence.explained[2].flip(0), atol=1e-3)


def test_unprompted_passes_predict_the_noise_of_the_seeds(backbone: Backbone, renders) -> None:
    latents = encode_images(backbone, renders[0][:1])
    text = _encode(backbone, [""])
    prompt = class_prompt(backbone, ["dog"])
    attention, (only,) = read_attention(backbone, latents, [prompt], SEEDS[:1], timesteps=(100,))
    assert attention.passes == 1 and only.timestep == 100
    assert torch.equal(only.noised, add_noise(backbone, latents, 100, SEEDS[:1]))
    with torch.no_grad():
        assert torch.equal(only.plain, backbone.predict(only.noised, 100, text))


def test_a_single_class_explains_the_projection_of_the_error_on_its_change(backbone: Backbone, renders) -> None:
    latents = encode_images(backbone, renders[0][:1])
    _, passes = read_attention(backbone, latents, [class_prompt(backbone, ["dog"])], SEEDS[:1], timesteps=(100,))
    (share,) = explained(backbone, passes, [["dog"]])
    with torch.no_grad():
        named = backbone.predict(passes[0].noised, 100, backbone.family.encode(["a photo of a dog"]))
    change, error = (named - passes[0].plain).flatten(), (passes[0].target - passes[0].plain).flatten()
    expected = float(change @ error / (change @ change * (1 + RIDGE)))
    assert float(share) == pytest.approx(expected, rel=1e-3)


def test_a_text_is_encoded_independently_of_the_others(backbone: Backbone) -> None:
    both, alone = _encode(backbone, ["a dog", "a photo of a car"]), _encode(backbone, ["a photo of a car"])
    assert torch.equal(both.states[1:], alone.states) and both.pooled is None


@pytest.mark.parametrize(
    ("classes", "timestep", "message"),
    [([[]], 100, "classes asked for"), ([["dog"], ["car"]], 100, "1 images"), ([["dog"]], 5000, "timestep: got 5000")],
)
def test_bad_calls(backbone: Backbone, classes: list[list[str]], timestep: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_evidence(backbone, torch.zeros(1, 8, 16, 16), classes, [1], timesteps=(timestep,))

"""The default levels, attention layers and noise levels of a decoder."""

import pytest

from dataset_dm.diffusion import Backbone, default_attention, default_levels, feature_spec
from dataset_dm.errors import ConfigError


def test_default_choice(backbone: Backbone) -> None:
    levels = default_levels(backbone)
    unet = [level for level in backbone.levels() if level.source == "unet"]
    assert list(levels[: len(unet)]) == unet
    vae = [level for level in levels if level.source == "vae"]
    assert [level.stride for level in vae] == [8, 4, 2, 1]
    assert levels[-1].name == "image" and levels[-1].stride == 1
    assert set(default_attention(backbone)) <= set(backbone.attention_taps)


def test_the_attention_is_that_of_the_upward_half(backbone: Backbone) -> None:
    layers = default_attention(backbone)
    assert layers and all(name.startswith("unet.up.") for name in layers)
    assert feature_spec(backbone).attention_heads == sum(backbone.attention_taps[name].heads for name in layers)


def test_a_spec_states_the_model_and_the_choices(backbone: Backbone) -> None:
    spec = feature_spec(backbone)
    assert (spec.timestep, spec.contrast) == (100, (100, 400))
    assert (spec.generator, spec.native_size) == (backbone.fingerprint, backbone.native_size)
    chosen = feature_spec(backbone, levels=spec.levels[:2], attention=(), timestep=5, contrast=[7])
    assert (chosen.levels, chosen.attention, chosen.attention_heads) == (spec.levels[:2], (), 0)
    assert (chosen.timestep, chosen.contrast) == (5, (7,))


@pytest.mark.parametrize("choice", [{"timestep": 1000}, {"contrast": (100, -1)}])
def test_noise_levels_are_checked(backbone: Backbone, choice: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="timestep: got .* from 0 to 999"):
        feature_spec(backbone, **choice)

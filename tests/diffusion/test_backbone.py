"""The backbone: sizes, text encoding, warnings about long prompts."""

import json
import warnings
from pathlib import Path

import pytest
import torch

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ConfigError


def test_facts_follow_the_configs(backbone: Backbone, generator_folder: Path) -> None:
    unet = json.loads((generator_folder / "unet" / "config.json").read_text())
    assert backbone.native_size == (8 * unet["sample_size"], 8 * unet["sample_size"])
    assert backbone.text_width == unet["cross_attention_dim"]
    assert backbone.max_tokens == 77
    assert backbone.vae_stride == 8
    assert backbone.size_multiple == 8 * 2 ** (len(unet["block_out_channels"]) - 1)
    assert backbone.revision is None and backbone.adapter is None


def test_everything_is_frozen_and_in_eval_mode(backbone: Backbone) -> None:
    for part in (backbone.pipe.unet, backbone.pipe.vae, backbone.pipe.text_encoder):
        assert not part.training
        assert not any(parameter.requires_grad for parameter in part.parameters())


def test_text_is_padded_to_the_tokenizers_length(backbone: Backbone) -> None:
    states = backbone.encode_text(["a dog", ""])
    assert states.shape == (2, backbone.max_tokens, backbone.text_width)
    assert torch.equal(states[0, 0], states[1, 0])  # the start token sees nothing after it
    assert not torch.equal(states[0, 1], states[1, 1])


def test_token_count_includes_start_and_end(backbone: Backbone) -> None:
    assert backbone.token_count("") == 2
    assert backbone.token_count("dog " * 200) > 200


def test_long_prompt_warns_once_and_by_name(backbone: Backbone) -> None:
    prompt = "a dog and " * 60
    with pytest.warns(UserWarning, match="'a dog and a dog and .* tokens, the text encoder reads 77"):
        backbone.encode_text([prompt])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backbone.encode_text([prompt])


@pytest.mark.parametrize("size", [(100, 128), (0, 128), (128.0, 128), (128,), (True, 128)])
def test_size_is_checked(backbone: Backbone, size: tuple) -> None:
    with pytest.raises(ConfigError, match="size"):
        backbone.check_size(size)


def test_size_message_names_the_nearest(backbone: Backbone) -> None:
    step = backbone.size_multiple
    with pytest.raises(ConfigError) as caught:
        backbone.check_size((3 * step + 1, step))
    assert f"take ({3 * step}, {step})" in str(caught.value)

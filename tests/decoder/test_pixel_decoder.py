"""Pixel decoder: one fused map per stride, from any choice of levels."""

from dataclasses import replace

import pytest
import torch

from dataset_dm.errors import ConfigError
from tests.decoder.conftest import SPEC, make_decoder


@pytest.mark.parametrize("kept", [("unet.a",), ("vae.d",), ("unet.b", "vae.c"), ("unet.a", "image")])
@torch.inference_mode()
def test_any_choice_of_levels_is_decoded_at_full_size(kept, features):
    spec = replace(SPEC, levels=tuple(level for level in SPEC.levels if level.name in kept))
    fewer = replace(features, levels={name: features.levels[name] for name in kept}, spec=spec)
    assert make_decoder(spec=spec)(fewer).semantic.logits.shape == (2, 6, 64, 64)


@torch.inference_mode()
def test_every_stride_has_a_map_of_its_size_and_width(decoder, features) -> None:
    fused = decoder.pixel_decoder(features)
    assert list(fused) == [32, 16, 8, 4, 2, 1]
    for stride, value in fused.items():
        assert value.shape == (2, decoder.config.width_at(stride), 64 // stride, 64 // stride)


@torch.inference_mode()
def test_fine_detail_comes_from_the_image(decoder, features) -> None:
    changed = features.levels["image"].clone()
    changed[0, :, 40, 40] += 3
    other = replace(features, levels={**features.levels, "image": changed})
    moved = (decoder.pixel_decoder(features)[1] - decoder.pixel_decoder(other)[1]).abs().amax(1)
    assert moved[0, 40, 40] > 100 * moved[0, :16, :16].max() and not moved[1].any()


def test_a_spec_of_the_image_alone_is_refused() -> None:
    spec = replace(SPEC, levels=tuple(level for level in SPEC.levels if level.source == "image"))
    with pytest.raises(ConfigError, match="no map of the generator"):
        make_decoder(spec=spec)

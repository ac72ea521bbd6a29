"""Levels and attention layers: channels and strides are those of the published table."""

from collections import Counter

import torch
from diffusers import UNet2DConditionModel

from dataset_dm.diffusion import (
    Backbone,
    TapRequest,
    tap,
)
from dataset_dm.diffusion.levels import unet_levels

# DatasetDM's table at 512²: stride → channels of its maps; the narrow model has a tenth of each
TABLE = {
    8: [320] + 2 * [320] + [640] + 3 * [320],
    16: [320] + 2 * [640] + [1280] + 3 * [640],
    32: [640] + 2 * [1280] + [1280] + 3 * [1280],
    64: [1280] + 2 * [1280] + [1280] + 3 * [1280],
}


SUMS = {8: 2560, 16: 4800, 32: 8320, 64: 8960}


def full_width_unet() -> UNet2DConditionModel:
    """Stable Diffusion 1.5's UNet as published, without storage for its 860 million weights."""
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            cross_attention_dim=768,
            attention_head_dim=8,
        )


def test_taps_at_full_width_equal_the_published_table() -> None:
    """A pass on shapes alone, through the very hooks' modules."""
    unet = full_width_unet()
    found: dict[int, list[int]] = {}

    def record(module: torch.nn.Module, args: object, output: object) -> None:
        value = output if isinstance(output, torch.Tensor) else output[0]
        found.setdefault(512 // value.shape[-1], []).append(value.shape[1])

    taps = unet_levels(unet, 8)
    for each in taps:
        each.module.register_forward_hook(record)
    unet(torch.empty(1, 4, 64, 64, device="meta"), 1, torch.empty(1, 77, 768, device="meta"))
    assert {stride: sorted(maps) for stride, maps in found.items()} == {k: sorted(v) for k, v in TABLE.items()}
    assert {stride: sum(maps) for stride, maps in found.items()} == SUMS
    for stride, maps in found.items():
        assert maps == [each.level.channels for each in taps if each.level.stride == stride]


def test_taps_of_the_narrow_model_equal_the_table_scaled(sd15: Backbone) -> None:
    names = tuple(level.name for level in sd15.levels() if level.source == "unet")
    text = sd15.encode_text(["a dog"])
    with tap(sd15, TapRequest(levels=names)) as taps, torch.no_grad():
        sd15.pipe.unet(torch.randn(1, 4, 64, 64), 1, encoder_hidden_states=text)
    found: dict[int, list[int]] = {}
    for value in taps.levels.values():
        assert value.shape[-2] == value.shape[-1]
        found.setdefault(512 // value.shape[-1], []).append(value.shape[1])
    expected = {stride: Counter(channels // 10 for channels in maps) for stride, maps in TABLE.items()}
    assert {stride: Counter(maps) for stride, maps in found.items()} == expected


def test_stable_diffusion_15_has_sixteen_cross_attentions_of_eight_heads(sd15: Backbone) -> None:
    strides = Counter(layer.stride for layer in sd15.attention_taps.values())
    assert strides == {8: 5, 16: 5, 32: 5, 64: 1}
    assert {layer.heads for layer in sd15.attention_taps.values()} == {8}
    assert sd15.native_size == (512, 512) and sd15.size_multiple == 64

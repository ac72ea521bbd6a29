"""The table of maps that can be read from a UNet and a VAE decoder: name, channels, stride, and the module to hook.

At the Stable Diffusion 1.5 shape (512², `unet.*`; DatasetDM's table):

| stride | maps (channels) |
|---|---|
| 8  | conv_in 320; down.0.layer.0–1 320; up.2.upsampler 640; up.3.layer.0–2 320 |
| 16 | down.0.downsampler 320; down.1.layer.0–1 640; up.1.upsampler 1280; up.2.layer.0–2 640 |
| 32 | down.1.downsampler 640; down.2.layer.0–1 1280; up.0.upsampler 1280; up.1.layer.0–2 1280 |
| 64 | down.2.downsampler 1280; down.3.layer.0–1 1280; mid 1280; up.0.layer.0–2 1280 |

`vae.mid` and `vae.up.i.layer.j`, `vae.up.i.upsampler` follow the same scheme in the VAE's decoder. A layer is
a residual block with the attention behind it, where there is one. `unet.….attention.j` names a cross-attention; where
a layer has several in a row, `.attention.j.n`.
"""

from __future__ import annotations

from dataclasses import dataclass

from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from dataset_dm.hypercolumns import Level, Source


@dataclass(frozen=True)
class LevelTap:
    """A level and the module whose output it is."""

    level: Level
    module: nn.Module


@dataclass(frozen=True)
class AttentionTap:
    """A cross-attention layer: its module, the transformer around it (which sees the grid), heads and stride."""

    name: str
    module: nn.Module
    around: nn.Module
    heads: int
    stride: int


def unet_levels(unet: UNet2DConditionModel, stride: int) -> list[LevelTap]:
    """Every tappable map of the UNet, in the order of computation; `stride` is that of its input (the VAE's factor)."""
    taps = [_tap("unet.conv_in", "unet", unet.conv_in, unet.conv_in.out_channels, stride)]
    for i, block in enumerate(unet.down_blocks):
        taps += _layers(f"unet.down.{i}", "unet", block, stride)
        if block.downsamplers is not None:
            stride *= 2
            module = block.downsamplers[-1]
            taps.append(_tap(f"unet.down.{i}.downsampler", "unet", module, module.out_channels, stride))
    if unet.mid_block is not None:
        taps.append(_tap("unet.mid", "unet", unet.mid_block, unet.mid_block.resnets[-1].out_channels, stride))
    return taps + _up_blocks("unet", "unet", unet.up_blocks, stride)


def vae_levels(vae: AutoencoderKL, stride: int) -> list[LevelTap]:
    """Every tappable map of the VAE's decoder, in the order of computation."""
    middle = vae.decoder.mid_block
    taps = [_tap("vae.mid", "vae", middle, middle.resnets[-1].out_channels, stride)]
    return taps + _up_blocks("vae", "vae", vae.decoder.up_blocks, stride)


def attention_layers(unet: UNet2DConditionModel, stride: int) -> list[AttentionTap]:
    """Every cross-attention layer of the UNet, in the order of computation."""
    taps: list[AttentionTap] = []
    for i, block in enumerate(unet.down_blocks):
        taps += _attentions(f"unet.down.{i}", block, stride)
        stride *= 1 if block.downsamplers is None else 2
    if unet.mid_block is not None:
        taps += _attentions("unet.mid", unet.mid_block, stride)
    for i, block in enumerate(unet.up_blocks):
        taps += _attentions(f"unet.up.{i}", block, stride)
        stride //= 1 if block.upsamplers is None else 2
    return taps


def _tap(name: str, source: Source, module: nn.Module, channels: int, stride: int) -> LevelTap:
    return LevelTap(Level(name=name, source=source, channels=channels, stride=stride), module)


def _up_blocks(prefix: str, source: Source, blocks: nn.ModuleList, stride: int) -> list[LevelTap]:
    taps: list[LevelTap] = []
    for i, block in enumerate(blocks):
        taps += _layers(f"{prefix}.up.{i}", source, block, stride)
        if block.upsamplers is not None:
            stride //= 2
            module = block.upsamplers[-1]
            taps.append(_tap(f"{prefix}.up.{i}.upsampler", source, module, module.out_channels, stride))
    return taps


def _layers(prefix: str, source: Source, block: nn.Module, stride: int) -> list[LevelTap]:
    behind = getattr(block, "attentions", None)
    taps = []
    for j, resnet in enumerate(block.resnets):
        module = resnet if behind is None or behind[j] is None else behind[j]
        taps.append(_tap(f"{prefix}.layer.{j}", source, module, resnet.out_channels, stride))
    return taps


def _attentions(prefix: str, block: nn.Module, stride: int) -> list[AttentionTap]:
    taps = []
    for j, around in enumerate(getattr(block, "attentions", None) or ()):
        inner = getattr(around, "transformer_blocks", None) or ()
        for n, layer in enumerate(inner):
            if getattr(layer, "attn2", None) is None:
                continue
            name = f"{prefix}.attention.{j}" + (f".{n}" if len(inner) > 1 else "")
            taps.append(AttentionTap(name, layer.attn2, around, layer.attn2.heads, stride))
    return taps

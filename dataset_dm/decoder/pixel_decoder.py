"""Pixel decoder: the maps of a generator in, one fused map per stride out; shared by the heads of all tasks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dataset_dm.decoder.blocks import ResidualBlock, Standardise, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.errors import ConfigError
from dataset_dm.hypercolumns import Features, Level

IMAGE_WIDTH = 12  # channels of the skip connection from the image


class LevelGroup(nn.Module):
    """All generator maps of one stride → one map: standardise, drop channels, project, norm."""

    def __init__(self, levels: tuple[Level, ...], width: int, config: PDecoderConfig) -> None:
        super().__init__()
        self.names = tuple(level.name for level in levels)
        channels = sum(level.channels for level in levels)
        self.scale = Standardise(channels)
        self.dropout = nn.Dropout2d(config.dropout)
        self.project = nn.Conv2d(channels, width, 1)
        self.norm = nn.GroupNorm(config.groups, width)

    def gather(self, features: Features) -> Float[Tensor, "b c h w"]:
        """The raw maps of this stride, [b c h w]."""
        return torch.cat([features.levels[name] for name in self.names], dim=1)

    def forward(self, features: Features) -> Float[Tensor, "b c h w"]:
        return self.norm(self.project(self.dropout(self.scale(self.gather(features)))))


class ImageSkip(nn.Module):
    """Three small convolutions on the image [b 3 H W] in [-1, 1] → [b width H W]: colour edges for mask borders."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv2d(3, IMAGE_WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(IMAGE_WIDTH, IMAGE_WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(IMAGE_WIDTH, width, 3, padding=1),
        )

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c H W"]:
        return self.steps(image)


class PixelDecoder(nn.Module):
    """Top-down fusion from the coarsest stride to the image's own.

    Args:
        config: widths, levels, dropout.

    The forward pass takes :class:`Features` and returns stride → [b width_at(stride) H/stride W/stride].
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        self.strides = config.strides
        spec = config.spec
        maps = tuple(level for level in spec.levels if level.source != "image")
        if not maps:
            raise ConfigError("decoder: the feature spec has no map of the generator, only the image; name a level")
        self.groups, self.climb, self.blocks = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for position, stride in enumerate(self.strides):
            width = config.width_at(stride)
            levels = tuple(level for level in maps if level.stride == stride)
            if not levels and not position:  # only fine maps: the top level reads the coarsest of them, downsampled
                levels = tuple(level for level in maps if level.stride == max(each.stride for each in maps))
            if levels:
                self.groups[str(stride)] = LevelGroup(levels, width, config)
            if position:
                self.climb[str(stride)] = nn.Conv2d(config.width_at(self.strides[position - 1]), width, 1)
            self.blocks[str(stride)] = nn.Sequential(
                ResidualBlock(width, config.groups, config.dropout, convolutions=2 if stride >= 4 else 1),
                nn.GroupNorm(config.groups, width),
                nn.SiLU(),
            )
        images = [level.name for level in spec.levels if level.source == "image"]
        self.image_level = images[0] if images else None
        self.skip = ImageSkip(config.width_at(1)) if images else None

    @torch.no_grad()
    def fit(self, features: Features) -> None:
        """Measures the statistics for standardisation; called once, before training."""
        for group in self.groups.values():
            group.scale.fit(group.gather(features))

    def forward(self, features: Features) -> dict[int, Float[Tensor, "b _ _ _"]]:
        height, width = features.image_size
        fused: dict[int, Tensor] = {}
        previous: Tensor | None = None
        for stride in self.strides:
            size = (height // stride, width // stride)
            parts = []
            if str(stride) in self.groups:
                parts.append(resize(self.groups[str(stride)](features), size))
            if previous is not None:
                parts.append(resize(self.climb[str(stride)](previous), size))
            if stride == 1 and self.skip is not None:
                parts.append(self.skip(features.levels[self.image_level]))
            previous = self.blocks[str(stride)](sum(parts[1:], parts[0]))
            fused[stride] = previous
        return fused

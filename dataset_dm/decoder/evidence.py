"""Class evidence: features of each class at each cell, computed with weights shared by all classes.

A class is its words. Its evidence is (a) the generator's own attention between pixels and the tokens of the class, (b)
the contrast where it was read: how much of the image is explained by naming the class, (c) dot products of pixels with
the text embedding of the class. Classes do not interact here, so permuting or extending the class list permutes or
extends the evidence exactly.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, Standardise, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.hypercolumns import Features

EVIDENCE_STRIDE = 8


class ClassEvidence(nn.Module):
    """Evidence [b k c h w] of each class at each cell of the stride-8 grid.

    Args:
        config: widths and evidence sources.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, self.heads = config.evidence_width, config.text_heads
        maps = config.spec.attention_heads if config.attention else 0
        self.scale = Standardise(maps, axis=2) if maps else None
        self.dropout = nn.Dropout2d(config.dropout)
        self.pixels = nn.Conv2d(config.width, 16 * self.heads, 1)
        self.words = nn.Linear(config.spec.text_width, 16 * self.heads)
        asked = config.spec.contrast_maps
        self.contrast = Standardise(asked, axis=2) if asked else None
        # one more map: whether the contrast was read
        self.join = nn.Conv2d(maps + self.heads + (asked + 1 if asked else 0), width, 1)
        self.context = nn.Conv2d(config.width, width, 1)
        self.film = nn.Linear(config.spec.text_width, 2 * width)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.blocks = nn.Sequential(
            ResidualBlock(width, config.groups, convolutions=1),
            ResidualBlock(width, config.groups, convolutions=1),
            nn.GroupNorm(config.groups, width),
            nn.SiLU(),
        )

    def forward(
        self, fused: Float[Tensor, "b _ h w"], text: Float[Tensor, "k d"], features: Features
    ) -> Float[Tensor, "b k c h w"]:
        """Evidence maps.

        Args:
            fused: fused map [b c h w] at stride 8.
            text: standardised class embeddings [k d].
            features: class attention and contrast are read where the config says so.

        Raises:
            ValueError: the features lack what this decoder reads.
        """
        attention, contrast = features.class_attention, features.contrast
        batch, classes = fused.shape[0], text.shape[0]
        size = fused.shape[-2:]
        pixels = rearrange(self.pixels(fused), "b (n c) h w -> b n c h w", n=self.heads)
        words = rearrange(self.words(text), "k (n c) -> k n c", n=self.heads)
        parts = [torch.einsum("bnchw,knc->bknhw", pixels, words) / math.sqrt(pixels.shape[2])]
        if self.scale is not None:
            if attention is None:
                raise ValueError(
                    "this decoder reads class attention, but the features hold none; record it in the labelling pass"
                )
            maps = resize(rearrange(self.scale(attention), "b k a h w -> (b k) a h w"), size)
            parts.append(rearrange(self.dropout(maps), "(b k) a h w -> b k a h w", b=batch))
        if self.contrast is not None:
            if contrast is None:
                raise ValueError(
                    "this decoder reads contrast maps, but the features hold none; read them with its spec"
                )
            read = ~contrast.isnan().any(dim=2, keepdim=True)
            maps = torch.where(read, self.contrast(contrast.nan_to_num()), 0.0)
            joint = torch.cat([maps, read.to(maps.dtype)], dim=2)
            joint = resize(rearrange(joint, "b k a h w -> (b k) a h w"), size)
            parts.append(rearrange(joint, "(b k) a h w -> b k a h w", b=batch))
        joined = self.join(rearrange(torch.cat(parts, dim=2), "b k a h w -> (b k) a h w"))
        joined = joined + repeat(self.context(fused), "b c h w -> (b k) c h w", k=classes)
        gain, shift = repeat(self.film(text), "k (two c) -> two (b k) c 1 1", two=2, b=batch)
        return rearrange(self.blocks(joined * (1 + gain) + shift), "(b k) c h w -> b k c h w", b=batch)

    @torch.no_grad()
    def fit(self, features: Features) -> None:
        """Measures the scale of attention and contrast maps; called once, on training features."""
        if self.scale is not None and features.class_attention is not None:
            self.scale.fit(features.class_attention)
        if self.contrast is not None and features.contrast is not None:
            read = ~features.contrast.isnan().flatten(1).any(1)
            if read.any():
                self.contrast.fit(features.contrast[read])


def standardise_text(text: Float[Tensor, "k d"]) -> Float[Tensor, "k d"]:
    """Class embeddings [k d] with zero mean and unit variance over d; text encoders differ in scale."""
    return functional.layer_norm(text, text.shape[-1:])


def hide_words(text: Float[Tensor, "k d"], share: float) -> Float[Tensor, "k d"]:
    """Embeddings [k d] of which about `share` are zero: those classes must be recognised from their evidence alone.

    A decoder that relies on the words of its training classes does poorly on unseen ones.
    """
    return text * (torch.rand(len(text), 1, device=text.device) >= share)

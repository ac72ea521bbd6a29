"""Class evidence: what speaks for each class at each cell, through weights shared by all classes.

A class is its words. What speaks for it is (a) the generator's own attention between pixels and the class's tokens,
(b) where it was read, the contrast: how much naming the class explains of the picture, (c) dot products of pixels with
the class's text embedding. No class sees another here, so permuting the class list permutes the evidence and extending
it extends it, exactly.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, Standardise, resize
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.hypercolumns import Features

EVIDENCE_STRIDE = 8


class ClassEvidence(nn.Module):
    """What speaks for each class at each cell of the stride-8 grid: → [b k c h w].

    Args:
        config: widths, and which evidence is read.
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
        # one map more says whether the contrast was read at all
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

    def forward(self, fused: Tensor, text: Tensor, features: Features) -> Tensor:
        """Evidence maps.

        Args:
            fused: fused map [b c h w] at stride 8.
            text: standardised class embeddings [k d].
            features: whose class attention and contrast are read, where the config asks for them.

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
        """Measures how the generator's attention and contrast are scaled; once, on training features."""
        if self.scale is not None and features.class_attention is not None:
            self.scale.fit(features.class_attention)
        if self.contrast is not None and features.contrast is not None:
            read = ~features.contrast.isnan().flatten(1).any(1)
            if read.any():
                self.contrast.fit(features.contrast[read])


def standardise_text(text: Tensor) -> Tensor:
    """Class embeddings [k d] with zero mean and unit variance over d; text encoders differ in scale."""
    return functional.layer_norm(text, text.shape[-1:])


def hide_words(text: Tensor, share: float) -> Tensor:
    """Embeddings [k d] of which about `share` are zero: those classes must be told by their evidence alone.

    A decoder that leans on the words of the classes it knows reads unseen ones badly.
    """
    return text * (torch.rand(len(text), 1, device=text.device) >= share)

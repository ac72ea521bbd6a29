"""Semantic head: one logit a class and pixel, each class on its own.

A class is its words. Its logit is made of (a) the generator's own attention between pixels and the class's tokens,
(b) where it was read, the contrast: how much naming the class explains of the picture, both through weights shared by
all classes, (c) dot products of pixels with the class's text embedding. Classes meet only in the softmax, so permuting
the class list permutes the logits and extending it extends them, exactly.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.decoder.blocks import ResidualBlock, Standardise, convex_upsample, resize
from dataset_dm.decoder.config import PDecoderConfig

EVIDENCE_STRIDE = 8
MIDDLE_STRIDE = 4


class ClassEvidence(nn.Module):
    """What speaks for each class at each cell of the stride-8 grid: → [b k c h w]."""

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

    def forward(self, fused: Tensor, attention: Tensor | None, text: Tensor, contrast: Tensor | None) -> Tensor:
        """Evidence maps.

        Args:
            fused: fused map [b c h w] at stride 8.
            attention: class attention [b k a h' w'], or None where the config reads none.
            text: standardised class embeddings [k d].
            contrast: [b k m h' w'], NaN where it was not read; None where the config asks for none.
        """
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


class SemanticHead(nn.Module):
    """Logits of background and classes at strides 8, 4 and 1, and presence of each class.

    Args:
        config: widths and text size.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine = config.evidence_width, config.width_at(1)
        middle = config.width_at(MIDDLE_STRIDE)
        self.evidence = ClassEvidence(config)
        self.coarse = nn.Conv2d(width, 1, 1)
        self.key = nn.Conv2d(width, 16, 1)
        self.query = nn.Conv2d(middle, 16, 1)
        self.fine_text = nn.Linear(config.spec.text_width, fine)
        self.background = nn.ModuleDict(
            {"8": nn.Conv2d(config.width, 1, 1), "4": nn.Conv2d(middle, 1, 1), "1": nn.Conv2d(fine, 1, 1)}
        )
        self.neighbours = nn.Conv2d(fine, 9, 1)
        self.gate = nn.Parameter(torch.tensor(0.5))  # weight of the query branch
        self.presence = nn.Sequential(nn.Linear(width + 3, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(
        self,
        fused: dict[int, Tensor],
        attention: Tensor | None,
        text: Tensor,
        from_queries: Tensor | None,
        contrast: Tensor | None = None,
    ) -> tuple[list[Tensor], Tensor]:
        """Logits [b 1+k h w] from coarse to the image's own size, and presence logits [b k].

        Args:
            fused: stride → fused map.
            attention: class attention [b k a h w] or None.
            text: standardised class embeddings [k d].
            from_queries: evidence of the query branch at stride 4 [b k h w], or None.
            contrast: contrast maps [b k m h w] or None.
        """
        batch = fused[1].shape[0]
        evidence = self.evidence(fused[EVIDENCE_STRIDE], attention, text, contrast)
        flat = rearrange(evidence, "b k c h w -> (b k) c h w")
        coarse = rearrange(self.coarse(flat), "(b k) 1 h w -> b k h w", b=batch)
        coarse = torch.cat([self.background["8"](fused[8]), coarse], dim=1)

        pixels = self.query(fused[MIDDLE_STRIDE])
        size = tuple(pixels.shape[-2:])
        keys = rearrange(resize(self.key(flat), size), "(b k) c h w -> b k c h w", b=batch)
        local = torch.einsum("bkchw,bchw->bkhw", keys, pixels) / math.sqrt(pixels.shape[1])
        if from_queries is not None:
            local = local + self.gate * from_queries
        middle = resize(coarse, size) + torch.cat([self.background["4"](fused[4]), local], dim=1)

        finest = fused[1]
        words = self.fine_text(text) / math.sqrt(finest.shape[1])
        detail = torch.cat([self.background["1"](finest), torch.einsum("bchw,kc->bkhw", finest, words)], dim=1)
        fine = convex_upsample(middle, self.neighbours(finest)) + detail
        return [coarse, middle, fine], self._presence(evidence, middle)

    def _presence(self, evidence: Tensor, logits: Tensor) -> Tensor:
        """Is the class in the picture at all: [b k] logits from its own evidence and its odds against background."""
        odds = rearrange(logits[:, 1:] - logits[:, :1], "b k h w -> b k (h w)")
        share = odds.sigmoid()
        pooled = [evidence.mean((-2, -1)), odds.amax(-1, keepdim=True) / 4, share.mean(-1, keepdim=True)]
        pooled.append(
            torch.logit(share.topk(max(1, share.shape[-1] // 64), dim=-1).values.mean(-1, keepdim=True), eps=1e-4) / 4
        )
        return self.presence(torch.cat(pooled, dim=-1)).squeeze(-1)


def standardise_text(text: Tensor) -> Tensor:
    """Class embeddings [k d] with zero mean and unit variance over d; text encoders differ in scale."""
    return functional.layer_norm(text, text.shape[-1:])

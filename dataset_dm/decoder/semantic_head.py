"""Semantic head: one logit per class and pixel; classes are independent up to the softmax."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from dataset_dm.decoder.blocks import convex_upsample, resize
from dataset_dm.decoder.config import PDecoderConfig

MIDDLE_STRIDE = 4


@dataclass(frozen=True)
class SemanticOutput:
    """Class logits per pixel, not yet divided by the temperature.

    Args:
        logits: [b 1+k H W], background first, classes in the order of the features' class list.
        aux: the same at inner layers, coarser grids, coarsest first; for deep supervision.
        presence: logits [b k] that a class is in the image.
    """

    logits: Float[Tensor, "b k1 H W"]
    aux: tuple[Float[Tensor, "b k1 _ _"], ...]
    presence: Float[Tensor, "b k"]


class SemanticHead(nn.Module):
    """Logits of background and classes at strides 8, 4 and 1, and presence of each class.

    Args:
        config: widths and text size.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width, fine = config.evidence_width, config.width_at(1)
        middle = config.width_at(MIDDLE_STRIDE)
        self.coarse = nn.Conv2d(width, 1, 1)
        self.key = nn.Conv2d(width, 16, 1)
        self.query = nn.Conv2d(middle, 16, 1)
        self.fine_text = nn.Linear(config.spec.text_width, fine)
        self.background = nn.ModuleDict(
            {"8": nn.Conv2d(config.width, 1, 1), "4": nn.Conv2d(middle, 1, 1), "1": nn.Conv2d(fine, 1, 1)}
        )
        self.neighbours = nn.Conv2d(fine, 9, 1)
        self.presence = nn.Sequential(nn.Linear(width + 3, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(
        self,
        fused: dict[int, Float[Tensor, "b _ _ _"]],
        evidence: Float[Tensor, "b k _ h8 w8"],
        text: Float[Tensor, "k d"],
    ) -> SemanticOutput:
        """Logits from coarse to the image's own size.

        Args:
            fused: stride → fused map.
            evidence: of each class at stride 8 [b k c h w].
            text: standardised class embeddings [k d].
        """
        batch = fused[1].shape[0]
        flat = rearrange(evidence, "b k c h w -> (b k) c h w")
        coarse = rearrange(self.coarse(flat), "(b k) 1 h w -> b k h w", b=batch)
        coarse = torch.cat([self.background["8"](fused[8]), coarse], dim=1)

        pixels = self.query(fused[MIDDLE_STRIDE])
        size = tuple(pixels.shape[-2:])
        keys = rearrange(resize(self.key(flat), size), "(b k) c h w -> b k c h w", b=batch)
        local = torch.einsum("bkchw,bchw->bkhw", keys, pixels) / math.sqrt(pixels.shape[1])
        middle = resize(coarse, size) + torch.cat([self.background["4"](fused[4]), local], dim=1)

        finest = fused[1]
        words = self.fine_text(text) / math.sqrt(finest.shape[1])
        detail = torch.cat([self.background["1"](finest), torch.einsum("bchw,kc->bkhw", finest, words)], dim=1)
        fine = convex_upsample(middle, self.neighbours(finest)) + detail
        return SemanticOutput(fine, (coarse, middle), self._presence(evidence, middle))

    def _presence(self, evidence: Tensor, logits: Tensor) -> Tensor:
        """Presence logits [b k] of each class, from its own evidence and its odds against background."""
        odds = rearrange(logits[:, 1:] - logits[:, :1], "b k h w -> b k (h w)")
        share = odds.sigmoid()
        pooled = [evidence.mean((-2, -1)), odds.amax(-1, keepdim=True) / 4, share.mean(-1, keepdim=True)]
        pooled.append(
            torch.logit(share.topk(max(1, share.shape[-1] // 64), dim=-1).values.mean(-1, keepdim=True), eps=1e-4) / 4
        )
        return self.presence(torch.cat(pooled, dim=-1)).squeeze(-1)

"""P-Decoder: generator maps in, labels of every built task out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from dataset_dm.decoder.checkpoint import read_checkpoint, write_checkpoint
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.heads import SemanticHead, standardise_text
from dataset_dm.decoder.pixel_decoder import PixelDecoder
from dataset_dm.decoder.query_decoder import QueryDecoder, QueryOutput
from dataset_dm.errors import AnnotatorMismatch, ModelError
from dataset_dm.hypercolumns import Features, FeatureSpec


@dataclass(frozen=True)
class DecoderOutput:
    """Raw predictions; not yet divided by the temperature.

    Args:
        semantic: logits [b 1+k H W], background first, classes in the order of the features' class list.
        aux: the same at inner layers, coarser grids, coarsest first; for deep supervision.
        presence: logits [b k] that a class is in the picture.
        queries: predictions of the query branch, one a layer, last one best; empty without that branch.
    """

    semantic: Tensor
    aux: tuple[Tensor, ...]
    presence: Tensor
    queries: tuple[QueryOutput, ...]


class PDecoder(nn.Module):
    """Shared fused maps, heads by task.

    Args:
        config: shape of the net.

    Example:
        >>> decoder = PDecoder.from_pretrained("decoder/")          # doctest: +SKIP
        >>> decoder(features).semantic.argmax(1)                    # doctest: +SKIP
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.pixel_decoder = PixelDecoder(config)
        self.query_decoder = QueryDecoder(config) if config.queries else None
        self.semantic_head = SemanticHead(config)

    def forward(self, features: Features) -> DecoderOutput:
        """Labels every class of ``features.class_text``; in eval mode a pure function of each image."""
        text = standardise_text(features.class_text)
        fused = self.pixel_decoder(features)
        queries = self.query_decoder(fused, text) if self.query_decoder is not None else []
        evidence = queries[-1].semantic() if queries else None
        logits, presence = self.semantic_head(fused, features.class_attention, text, evidence, features.contrast)
        return DecoderOutput(semantic=logits[-1], aux=tuple(logits[:-1]), presence=presence, queries=tuple(queries))

    @torch.no_grad()
    def fit_scaling(self, features: Features) -> None:
        """Measures how the generator's maps are scaled; once, on training features, before the first step."""
        self.pixel_decoder.fit(features)
        scale = self.semantic_head.evidence.scale
        if scale is not None and features.class_attention is not None:
            scale.fit(features.class_attention)
        asked = self.semantic_head.evidence.contrast
        if asked is not None and features.contrast is not None:
            read = ~features.contrast.isnan().flatten(1).any(1)
            if read.any():
                asked.fit(features.contrast[read])

    def check(self, spec: FeatureSpec) -> None:
        """AnnotatorMismatch, naming both sides, if features of ``spec`` are not what it was trained on."""
        if wrong := self.config.spec.mismatch(spec):
            raise AnnotatorMismatch(
                f"this decoder was trained on other features than the generator gives: {wrong}; "
                "take the generator it was trained for or train a decoder for this one"
            )

    def configured(self, **changes: object) -> PDecoder:
        """The same weights under a config changed in calibration or record (no shapes): shares the parameters."""
        self.config = replace(self.config, **changes)
        return self

    def save_pretrained(self, folder: str | Path, *, half: bool = False) -> Path:
        """Writes ``config.json`` and ``model.safetensors`` (``half``: as float16) into ``folder``."""
        return write_checkpoint(folder, self.config, self.state_dict(), half=half)

    @classmethod
    def from_pretrained(cls, source: str | Path, *, device: torch.device | str = "cpu") -> PDecoder:
        """Loads a checkpoint folder or Hub id (optionally ``id@revision``) in eval mode, as float32.

        Raises:
            ModelError: not found, not a decoder, or weights that are not safetensors or do not fit.
        """
        config, weights = read_checkpoint(source)
        decoder = cls(config)
        missing = sorted(set(decoder.state_dict()) ^ set(weights))
        if missing:
            raise ModelError(
                f"decoder {str(source)!r}: weights and config.json do not fit, {missing[0]!r} is on one side only"
            )
        decoder.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
        )
        return decoder.to(device).eval()

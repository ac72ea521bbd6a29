"""What a P-Decoder is made of, and what its checkpoint says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.hypercolumns import FeatureSpec
from dataset_dm.tasks import task

FORMAT = 1  # of the checkpoint; raised when old checkpoints can no longer be read


@dataclass(frozen=True, kw_only=True)
class PDecoderConfig:
    """Shape and record of a P-Decoder; sizes hold at any image size, the net is convolutional.

    Raises:
        ConfigError: a size below 1, widths that the GroupNorm groups do not divide, an unknown task.
    """

    spec: FeatureSpec  # the maps it reads; anything else is refused
    classes: tuple[str, ...]  # class words it was trained on, without background; others may be asked for
    tasks: tuple[str, ...] = ("semantic",)  # heads to build
    width: int = 72  # channels of the fused maps at strides of 8 and more; halved at each finer stride…
    finest_width: int = 16  # …down to this
    evidence_width: int = 32  # channels of one class's evidence
    text_heads: int = 4  # dot products between a pixel and a class word at the evidence grid
    queries: int = 20  # 0 builds no query branch
    query_layers: int = 3
    query_width: int = 48
    attention: bool = True  # read the class attention, if the spec records any
    dropout: float = 0.1  # of whole channels of the input maps, and inside blocks
    groups: int = 8  # of every GroupNorm
    temperature: float = 1.0  # divides the logits; fitted on held-out pixels
    void_below: float = 0.0  # pixels whose probability is lower become 255; chosen on held-out pixels
    record: dict[str, Any] = field(default_factory=dict, compare=False)  # how it was trained, figures, command

    def __post_init__(self) -> None:
        for name in ("width", "finest_width", "evidence_width", "text_heads", "query_layers", "query_width", "groups"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(explain(f"PDecoderConfig: {name}", got=getattr(self, name), expected="at least 1"))
        for name in ("width", "finest_width", "evidence_width", "query_width"):
            if getattr(self, name) % self.groups:
                expected = f"a multiple of groups={self.groups}"
                raise ConfigError(explain(f"PDecoderConfig: {name}", got=getattr(self, name), expected=expected))
        if self.queries < 0:
            raise ConfigError(explain("PDecoderConfig: queries", got=self.queries, expected="0 or more"))
        if not 0 <= self.dropout < 1:
            raise ConfigError(explain("PDecoderConfig: dropout", got=self.dropout, expected="0 ≤ dropout < 1"))
        if not self.temperature > 0:
            raise ConfigError(explain("PDecoderConfig: temperature", got=self.temperature, expected="above 0"))
        for name in self.tasks:
            task(name)

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the fused maps, coarsest first: every power of two from the coarsest level read down to 1."""
        coarsest = max(max(level.stride for level in self.spec.levels), 8)
        return tuple(2**power for power in reversed(range(coarsest.bit_length())))

    def width_at(self, stride: int) -> int:
        """Channels of the fused map at this stride; a multiple of ``groups``."""
        if stride >= 8:
            return self.width
        narrow = int(self.width * {4: 0.75, 2: 0.375, 1: 0.0}[stride]) // self.groups * self.groups
        return max(narrow, self.finest_width)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; :meth:`from_dict` reads it back."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            "format": FORMAT,
            **plain,
            "spec": self.spec.to_dict(),
            "classes": list(self.classes),
            "tasks": list(self.tasks),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PDecoderConfig:
        """The inverse of :meth:`to_dict`; ConfigError for a newer format or an unknown key."""
        values = dict(plain)
        written = values.pop("format", FORMAT)
        if written != FORMAT:
            expected, remedy = f"format {FORMAT}", "train the decoder again or install a fitting dataset-dm"
            raise ConfigError(explain("decoder config.json", got=written, expected=expected, remedy=remedy))
        known = {entry.name for entry in fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigError(f"PDecoderConfig: unknown key {name!r}{did_you_mean(name, known)}")
        values["spec"] = FeatureSpec.from_dict(values["spec"])
        values["classes"] = tuple(values["classes"])
        values["tasks"] = tuple(values.get("tasks", ("semantic",)))
        return cls(**values)

"""How a decoder is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dataset_dm.decoder import LossConfig
from dataset_dm.errors import ConfigError, explain
from dataset_dm.training.features import VariantConfig


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one training; with the data and the generator it decides every weight.

    Raises:
        ConfigError: a count below 1, a rate out of range.
    """

    steps: int = 1500
    batch: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 50  # steps
    clip: float = 1.0  # of the gradient's norm
    average: float = 0.995  # decay of the moving average of the weights, which is what is kept
    fewer_classes: float = 0.5  # share of batches that are asked for a part of the classes only
    evaluate_every: int = 100  # steps
    patience: int = 0  # evaluations without better figures after which training ends; 0 never ends early
    void_share: float = 0.04  # of the held-out pixels become 255
    seed: int = 0
    variants: VariantConfig = field(default_factory=VariantConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "evaluate_every"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(explain(f"training: {name}", got=value, expected="a whole number of at least 1"))
        for name in ("average", "fewer_classes", "void_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(explain(f"training: {name}", got=getattr(self, name), expected="0..1"))
        if self.void_share == 1:  # would only be found out after the last step
            raise ConfigError(explain("training: void_share", got=self.void_share, expected="less than 1"))
        if not self.learning_rate > 0:
            raise ConfigError(explain("training: learning_rate", got=self.learning_rate, expected="above 0"))

    def rate(self, step: int) -> float:
        """Learning rate of a step (0 …): linear warm-up, then half a cosine down to a hundredth."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))

    def decay(self, step: int) -> float:
        """Decay of the moving average at a step: short memory at first, when the weights are still poor."""
        return min(self.average, (1 + step) / (10 + step))

"""Settings of the training-free annotator. Light: a request is checked and fingerprinted without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain

ATTENTION = "attention"
# Raised by hand when the same settings read other labels than before.
ATTENTION_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """How labels are read out of attention alone; after Dataset Diffusion (Nguyen et al. 2023).

    Args:
        timesteps: noise levels of the labelling passes, each one UNet pass over the final latents.
        together: the image attends to one text of all the requested class names, as in the paper; False has every
            name alone against a text that says nothing.
        power: how often the self-attention map is applied to a class map; 0 leaves it out.
        edges: whether the class maps are made to follow the edges of the image.
        foreground: a pixel whose best class map reaches this is of that class, 0..1.
        background: a pixel whose best class map stays below this is background, 0..`foreground`; 255 between the two.
        presence: a requested class whose presence is below this gets no mask, 0..1.

    Raises:
        ConfigError: a value of a wrong type or out of range, thresholds out of order.
    """

    timesteps: tuple[int, ...] = (100,)
    together: bool = True
    power: int = 2
    edges: bool = True
    foreground: float = 0.55
    background: float = 0.35
    presence: float = 0.4

    def __post_init__(self) -> None:
        steps = self.timesteps
        if not isinstance(steps, (list, tuple)) or not steps or not all(_whole(step) for step in steps):
            raise _error("timesteps", steps, "a list of at least one whole number from 0 on")
        object.__setattr__(self, "timesteps", tuple(steps))  # frozen: equal settings are equal, given a list or not
        for name in ("together", "edges"):
            if not isinstance(getattr(self, name), bool):
                raise _error(name, getattr(self, name), "True or False")
        if not _whole(self.power):
            raise _error("power", self.power, "a whole number from 0 on")
        for name in ("foreground", "background", "presence"):
            if not _share(getattr(self, name)):
                raise _error(name, getattr(self, name), "a number in 0..1")
            object.__setattr__(self, name, float(getattr(self, name)))  # 1 and 1.0 are one setting
        if self.background > self.foreground:
            raise _error("background", self.background, f"at most foreground ({self.foreground})")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AttentionSettings:
        """The defaults with some values replaced; unknown keys are named."""
        known = [entry.name for entry in fields(cls)]
        for key in values:
            if key not in known:
                close = did_you_mean(str(key), known) or f"; known are {', '.join(known)}"
                raise ConfigError(f"annotator {ATTENTION!r}: unknown setting {key!r}{close}")
        return cls(**values)

    @classmethod
    def from_name(cls, name: str) -> AttentionSettings:
        """The inverse of :attr:`name`.

        Raises:
            ConfigError: another name, or settings that are no JSON object.

        >>> AttentionSettings.from_name('attention:{"power":2}').power
        2
        """
        head, colon, tail = name.partition(":")
        try:
            values = json.loads(tail) if colon else {}
        except ValueError:
            values = None
        if head != ATTENTION or not isinstance(values, dict):
            raise ConfigError(explain("annotator", got=name, expected="attention or attention:{settings as JSON}"))
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, JSON-ready; :meth:`from_dict` reads it back."""
        usual = AttentionSettings()
        return {k: _plain(v) for k, v in asdict(self).items() if v != getattr(usual, k)}

    @property
    def name(self) -> str:
        """What opens the annotator again: "attention", or with its settings behind a colon."""
        values = self.to_dict()
        return f"{ATTENTION}:{json.dumps(values, sort_keys=True, separators=(',', ':'))}" if values else ATTENTION

    def fingerprint(self) -> str:
        """16 hex digits over all settings, default or not."""
        whole = json.dumps([ATTENTION_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _error(name: str, got: object, expected: str) -> ConfigError:
    return ConfigError(explain(f"annotator {ATTENTION!r}: {name}", got=got, expected=expected))

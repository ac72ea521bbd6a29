"""Which rows stay: a filter keeps a row or gives a reason to drop it; reasons are counted into the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain


@dataclass(frozen=True, slots=True)
class Drop:
    """The row is left out; `reason` is a short name such as "unsafe"."""

    reason: str


# What a filter sees of a row: unsafe (bool), confidence and uncertain (0..1), classes (ids in the label).
Filter = Callable[[Mapping[str, Any]], Drop | None]


def unsafe(row: Mapping[str, Any]) -> Drop | None:
    """Drops pictures that the generator's own safety checker blacked out in every attempt."""
    return Drop("unsafe") if row["unsafe"] else None


@dataclass(frozen=True, slots=True)
class MinConfidence:
    """Drops rows whose mean confidence is below `least` (0..1)."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("low_confidence") if row["confidence"] < self.least else None


@dataclass(frozen=True, slots=True)
class MaxUncertain:
    """Drops rows of which more than `most` (0..1) of the pixels are void."""

    most: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_uncertain") if row["uncertain"] > self.most else None


@dataclass(frozen=True, slots=True)
class MinClasses:
    """Drops rows whose label shows fewer than `least` classes; 1 drops empty labels."""

    least: int

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_few_classes") if len(row["classes"]) < self.least else None


_SHARES: dict[str, Callable[[float], Filter]] = {"min_confidence": MinConfidence, "max_uncertain": MaxUncertain}
KNOWN = (*_SHARES, "min_classes")


def from_dict(asked: Mapping[str, Any] | None) -> tuple[Filter, ...]:
    """The filters of a request such as `{"min_confidence": 0.6, "min_classes": 1}`; `unsafe` always comes first.

    Raises ConfigError for an unknown filter or a value out of range.
    """
    if asked is not None and not isinstance(asked, Mapping):
        raise ConfigError(explain("filters", got=asked, expected="a dict such as {'min_confidence': 0.6}"))
    filters: list[Filter] = [unsafe]
    for name, value in (asked or {}).items():
        if name not in KNOWN:
            known = ", ".join(KNOWN)
            raise ConfigError(f"filters: unknown filter {name!r}; expected {known}{did_you_mean(str(name), KNOWN)}")
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if name in _SHARES:
            if not is_number or not 0 <= value <= 1:
                raise ConfigError(explain(f"filters: {name}", got=value, expected="a number from 0 to 1"))
            filters.append(_SHARES[name](float(value)))
        else:
            if not is_number or value != int(value) or value < 0:
                raise ConfigError(explain(f"filters: {name}", got=value, expected="a whole number of at least 0"))
            filters.append(MinClasses(int(value)))
    return tuple(filters)

"""Which rows stay: a filter keeps a row or gives a reason to drop it; reasons are counted into the card."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain

# What becomes of a row that a filter drops: the set has fewer rows, or its next attempts take its place until one
# passes.
KEEP_FEWER, RESAMPLE = "keep_fewer", "resample"
ON_DROP = (KEEP_FEWER, RESAMPLE)


@dataclass(frozen=True, slots=True)
class Drop:
    """The row is left out; `reason` is a short name such as "unsafe"."""

    reason: str


# What a filter sees of a row, None where that kind of label was not read: unusable (why the picture is, or None),
# confidence and uncertain (0..1), classes (ids in the label, or among the objects), area (share of the pixels that
# show one of them, 0..1), asked_presence (0..1, of the least present class of the prompt; None also where it names
# none), objects (their number), object_confidence, keypoint_confidence and depth_confidence (0..1, None also where
# there is nothing to be sure of). What no filter reads is not gathered.
Filter = Callable[[Mapping[str, Any]], Drop | None]


def usable(row: Mapping[str, Any]) -> Drop | None:
    """Drops pictures of which no attempt can be used: blacked out by the generator's safety checker, NaN, one colour.

    The reasons are those of `drawn.what_is_wrong`.
    """
    return Drop(row["unusable"]) if row["unusable"] else None


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


@dataclass(frozen=True, slots=True)
class MinArea:
    """Drops rows whose classes cover a smaller share of the picture than `least` (0..1); void pixels show none."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("label_too_small") if row["area"] < self.least else None


@dataclass(frozen=True, slots=True)
class MaxArea:
    """Drops rows whose classes cover a larger share of the picture than `most` (0..1)."""

    most: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("label_too_large") if row["area"] > self.most else None


@dataclass(frozen=True, slots=True)
class MinPresence:
    """Drops rows that lack a class of their prompt: its presence is below `least` (0..1). No class asked, no drop."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["asked_presence"], self.least, "class_not_present")


@dataclass(frozen=True, slots=True)
class MinObjects:
    """Drops rows with fewer than `least` objects; 1 drops empty pictures."""

    least: int

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_few_objects") if row["objects"] < self.least else None


@dataclass(frozen=True, slots=True)
class MinObjectConfidence:
    """Drops rows whose objects have a mean score below `least` (0..1); a row without objects stays."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["object_confidence"], self.least, "low_object_confidence")


@dataclass(frozen=True, slots=True)
class MinKeypointConfidence:
    """Drops rows whose keypoints have a mean score below `least` (0..1); a row without keypoints stays."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["keypoint_confidence"], self.least, "low_keypoint_confidence")


@dataclass(frozen=True, slots=True)
class MinDepthConfidence:
    """Drops rows whose depth has a mean confidence below `least` (0..1), or is unknown everywhere."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        sure = row["depth_confidence"]
        return Drop("low_depth_confidence") if sure is None or sure < self.least else None


@dataclass(frozen=True, slots=True)
class MinScore:
    """Keeps every row, and leaves objects with a score below `least` (0..1) out of it, before other filters look."""

    least: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return None


def _below(value: float | None, least: float, reason: str) -> Drop | None:
    return Drop(reason) if value is not None and value < least else None


@dataclass(frozen=True, slots=True)
class Known:
    """A filter that can be asked for: what makes it, the kinds of label it can judge by, whether it counts objects."""

    make: Callable[[Any], Filter]
    needs: tuple[str, ...]
    title: str
    whole: bool = False


_ANY = ("semantic", "instance", "depth", "pose")
KNOWN: dict[str, Known] = {
    "min_confidence": Known(MinConfidence, _ANY, "leave out rows with a lower mean confidence (0..1)"),
    "max_uncertain": Known(MaxUncertain, ("semantic",), "leave out rows with a larger share of void pixels (0..1)"),
    "min_classes": Known(MinClasses, ("semantic", "instance"), "leave out rows that show fewer classes", whole=True),
    "min_area": Known(
        MinArea, ("semantic", "instance"), "leave out rows whose classes cover a smaller share of the picture (0..1)"
    ),
    "max_area": Known(
        MaxArea, ("semantic", "instance"), "leave out rows whose classes cover a larger share of the picture (0..1)"
    ),
    "min_presence": Known(
        MinPresence, ("semantic",), "leave out rows where a class of the prompt has a lower presence (0..1)"
    ),
    "min_objects": Known(MinObjects, ("instance",), "leave out rows with fewer objects", whole=True),
    "min_object_confidence": Known(
        MinObjectConfidence, ("instance",), "leave out rows whose objects have a lower mean score"
    ),
    "min_keypoint_confidence": Known(
        MinKeypointConfidence, ("pose",), "leave out rows whose keypoints have a lower mean score"
    ),
    "min_depth_confidence": Known(
        MinDepthConfidence, ("depth",), "leave out rows whose depth has a lower mean confidence"
    ),
    "min_score": Known(MinScore, ("instance",), "keep the row, leave out objects with a lower score (0..1)"),
}


def from_dict(asked: Mapping[str, Any] | None, tasks: Sequence[str] = _ANY) -> tuple[Filter, ...]:
    """The filters of a request such as `{"min_confidence": 0.6, "min_classes": 1}`; `usable` always comes first.

    Args:
        asked: name → bound.
        tasks: the kinds of label that the rows have.

    Raises ConfigError for an unknown filter, one that needs other labels, or a value out of range.
    """
    if asked is not None and not isinstance(asked, Mapping):
        raise ConfigError(explain("filters", got=asked, expected="a dict such as {'min_confidence': 0.6}"))
    filters: list[Filter] = [usable]
    for name, value in (asked or {}).items():
        if name not in KNOWN:
            known = ", ".join(KNOWN)
            raise ConfigError(f"filters: unknown filter {name!r}; expected {known}{did_you_mean(str(name), KNOWN)}")
        filters.append(_checked(name, KNOWN[name], value, tasks))
    return tuple(filters)


def min_score(filters: Sequence[Filter]) -> float:
    """The score below which objects are left out; 0 where nobody asked."""
    return max((one.least for one in filters if isinstance(one, MinScore)), default=0.0)


def resamples(on_drop: object) -> bool:
    """Whether a row that a filter drops is drawn anew; `on_drop` None means "keep_fewer". ConfigError for others."""
    if on_drop not in (None, *ON_DROP):
        close = did_you_mean(str(on_drop), ON_DROP)
        raise ConfigError(explain("on_drop", got=on_drop, expected=" or ".join(map(repr, ON_DROP))) + close)
    return on_drop == RESAMPLE


def _checked(name: str, known: Known, value: object, tasks: Sequence[str]) -> Filter:
    if not set(known.needs) & set(tasks):
        what = f"filters: {name} needs labels of kind {' or '.join(known.needs)}"
        raise ConfigError(explain(what, got=", ".join(tasks), remedy="leave it out, or take another config"))
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if known.whole:
        if not is_number or value != int(value) or value < 0:
            raise ConfigError(explain(f"filters: {name}", got=value, expected="a whole number of at least 0"))
        return known.make(int(value))
    if not is_number or not 0 <= value <= 1:
        raise ConfigError(explain(f"filters: {name}", got=value, expected="a number from 0 to 1"))
    return known.make(float(value))

"""Which rows stay: a filter keeps a row or gives a reason to drop it; reasons are counted into the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from dataset_dm.arguments.declare import Argument, Spelling, argument, entries, python
from dataset_dm.arguments.read import number
from dataset_dm.checks import check_choice, check_int, check_mapping, check_number
from dataset_dm.errors import ConfigError, explain

# What happens to a row that a filter drops: the set has fewer rows, or its next attempts replace it until one passes.
KEEP_FEWER, RESAMPLE = "keep_fewer", "resample"
ON_DROP = (KEEP_FEWER, RESAMPLE)


@dataclass(frozen=True, slots=True)
class Drop:
    """The row is left out; `reason` is a short name such as "unsafe"."""

    reason: str


# What a filter sees of a row, None where that kind of label was not read: unusable (why the image is, or None),
# confidence and uncertain (0..1), classes (ids in the label, or among the objects), area (share of the pixels that
# show one of them, 0..1), asked_presence (0..1, the lowest presence of a class of the prompt; None also where it names
# none), objects (their number), object_confidence, keypoint_confidence and depth_confidence (0..1, None also where
# there is no object, keypoint or depth). What no filter reads is not gathered.
Filter = Callable[[Mapping[str, Any]], Drop | None]


def usable(row: Mapping[str, Any]) -> Drop | None:
    """Drops images of which no attempt can be used: blacked out by the generator's safety checker, NaN, one colour."""
    return Drop(row["unusable"]) if row["unusable"] else None


@dataclass(frozen=True, slots=True)
class MinConfidence:
    """Drops rows whose mean confidence is below `minimum` (0..1)."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("low_confidence") if row["confidence"] < self.minimum else None


@dataclass(frozen=True, slots=True)
class MaxUncertain:
    """Drops rows of which more than `maximum` (0..1) of the pixels are void."""

    maximum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_uncertain") if row["uncertain"] > self.maximum else None


@dataclass(frozen=True, slots=True)
class MinClasses:
    """Drops rows whose label shows fewer than `minimum` classes; 1 drops empty labels."""

    minimum: int

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_few_classes") if len(row["classes"]) < self.minimum else None


@dataclass(frozen=True, slots=True)
class MinArea:
    """Drops rows whose classes cover a smaller share of the image than `minimum` (0..1); void pixels show none."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("label_too_small") if row["area"] < self.minimum else None


@dataclass(frozen=True, slots=True)
class MaxArea:
    """Drops rows whose classes cover a larger share of the image than `maximum` (0..1)."""

    maximum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("label_too_large") if row["area"] > self.maximum else None


@dataclass(frozen=True, slots=True)
class MinPresence:
    """Drops rows that lack a class of their prompt: its presence is below `minimum` (0..1).

    Rows whose prompt names no class stay.
    """

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["asked_presence"], self.minimum, "class_not_present")


@dataclass(frozen=True, slots=True)
class MinObjects:
    """Drops rows with fewer than `minimum` objects; 1 drops images without objects."""

    minimum: int

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return Drop("too_few_objects") if row["objects"] < self.minimum else None


@dataclass(frozen=True, slots=True)
class MinObjectConfidence:
    """Drops rows whose objects have a mean score below `minimum` (0..1); a row without objects stays."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["object_confidence"], self.minimum, "low_object_confidence")


@dataclass(frozen=True, slots=True)
class MinKeypointConfidence:
    """Drops rows whose keypoints have a mean score below `minimum` (0..1); a row without keypoints stays."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return _below(row["keypoint_confidence"], self.minimum, "low_keypoint_confidence")


@dataclass(frozen=True, slots=True)
class MinDepthConfidence:
    """Drops rows whose depth has a mean confidence below `minimum` (0..1), or is unknown everywhere."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        confidence = row["depth_confidence"]
        return Drop("low_depth_confidence") if confidence is None or confidence < self.minimum else None


@dataclass(frozen=True, slots=True)
class MinScore:
    """Keeps every row, and leaves objects with a score below `minimum` (0..1) out of it, before other filters look."""

    minimum: float

    def __call__(self, row: Mapping[str, Any]) -> Drop | None:
        return None


def _below(value: float | None, minimum: float, reason: str) -> Drop | None:
    return Drop(reason) if value is not None and value < minimum else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Argument):
    """A filter that can be asked for: `make` makes it of its bound, `needs` are the kinds of label it can judge by."""

    make: Callable[[Any], Filter]
    needs: tuple[str, ...]


_ANY = ("semantic", "instance", "depth", "pose")
_CLASSES = ("semantic", "instance")


def _share(make: Callable[[Any], Filter], needs: tuple[str, ...], title: str) -> Any:
    """A filter with a bound from 0 to 1."""
    check = partial(check_number, minimum=0, maximum=1)
    return argument(declared=Known(make=make, needs=needs, help=title, metavar="P", check=check, read=number))


def _count(make: Callable[[Any], Filter], needs: tuple[str, ...], title: str) -> Any:
    """A filter that counts something."""
    return argument(declared=Known(make=make, needs=needs, help=title, metavar="N", check=_check_count, read=number))


def _check_count(name: str, value: object, *, remedy: str = "") -> int:
    """A whole number of at least 0; 2.0 is one too."""
    return check_int(name, int(value) if isinstance(value, float) and value.is_integer() else value, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class FilterArguments:
    """The keys of `filters=`, each with its bound."""

    min_confidence: float = _share(MinConfidence, _ANY, "leave out rows with a lower mean confidence (0..1)")
    max_uncertain: float = _share(
        MaxUncertain, ("semantic",), "leave out rows with a larger share of void pixels (0..1)"
    )
    min_classes: int = _count(MinClasses, _CLASSES, "leave out rows that show fewer classes")
    min_area: float = _share(
        MinArea, _CLASSES, "leave out rows whose classes cover a smaller share of the image (0..1)"
    )
    max_area: float = _share(MaxArea, _CLASSES, "leave out rows whose classes cover a larger share of the image (0..1)")
    min_presence: float = _share(
        MinPresence, ("semantic",), "leave out rows where a class of the prompt has a lower presence (0..1)"
    )
    min_objects: int = _count(MinObjects, ("instance",), "leave out rows with fewer objects")
    min_object_confidence: float = _share(
        MinObjectConfidence, ("instance",), "leave out rows whose objects have a lower mean score"
    )
    min_keypoint_confidence: float = _share(
        MinKeypointConfidence, ("pose",), "leave out rows whose keypoints have a lower mean score"
    )
    min_depth_confidence: float = _share(
        MinDepthConfidence, ("depth",), "leave out rows whose depth has a lower mean confidence"
    )
    min_score: float = _share(MinScore, ("instance",), "keep the row, leave out objects with a lower score (0..1)")


@dataclass(frozen=True, kw_only=True)
class RowArguments:
    """Which of the stored samples become rows."""

    filters: Mapping[str, Any] | None = argument(
        check=partial(check_mapping, expected="a dict such as {'min_confidence': 0.6}"),
        part="rows",
        keys=FilterArguments,
    )
    on_drop: str = argument(
        KEEP_FEWER,
        help="rows that a filter leaves out: keep_fewer (default), or resample them",
        check=partial(check_choice, options=ON_DROP),
        metavar="WHAT",
        part="rows",
    )


KNOWN: Mapping[str, Known] = {name: cast(Known, entry.argument) for name, entry in entries(FilterArguments).items()}


def from_dict(
    asked: Mapping[str, Any] | None, tasks: Sequence[str] = _ANY, spelling: Spelling = python
) -> tuple[Filter, ...]:
    """The filters of a request such as `{"min_confidence": 0.6, "min_classes": 1}`; `usable` always comes first.

    Args:
        asked: name → bound.
        tasks: the kinds of label that the rows have.
        spelling: how messages name the arguments.

    Raises ConfigError for an unknown filter, one that needs other labels, or a value out of range.
    """
    bounds = {} if asked is None else entries(RowArguments)["filters"].checked(asked, spelling)
    for name in bounds:
        if not set(KNOWN[name].needs) & set(tasks):
            what = f"{spelling(f'filters: {name}')} needs labels of kind {' or '.join(KNOWN[name].needs)}"
            raise ConfigError(explain(what, got=", ".join(tasks), remedy="leave it out, or take another config"))
    return (usable, *(KNOWN[name].make(bound) for name, bound in bounds.items()))


def min_score(filters: Sequence[Filter]) -> float:
    """The score below which objects are left out; 0 without such a filter."""
    return max((one.minimum for one in filters if isinstance(one, MinScore)), default=0.0)


def resamples(on_drop: object, spelling: Spelling = python) -> bool:
    """Whether a row that a filter drops is resampled; `on_drop` None means "keep_fewer". ConfigError for others."""
    return on_drop is not None and entries(RowArguments)["on_drop"].checked(on_drop, spelling) == RESAMPLE

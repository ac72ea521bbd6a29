"""Labels as annotation tools store them: one region per object, or per class, and one for all void pixels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import VOID

VOID_REGION = "void"


class RegionFormat(Format):
    """A format of regions: it stores objects and void pixels, or the class map of a set without objects."""

    needs = ("objects", "label")

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:
        """DataError when a class has the name of the void region."""
        if VOID_REGION in classes:
            expected = "another name: void regions are called so"
            raise DataError(explain(f"{self.name}: class", got=VOID_REGION, expected=expected))

    def regions(self, sample: Sample, classes: Sequence[str]) -> list[tuple[int, FileInstance]]:
        """(number from 1, instance) of the objects that are written, or of the classes of a set without objects."""
        whole = sample.labels
        chosen = (
            self.supported(sample, classes) if whole.instances is not None else enumerate(class_regions(whole.label))
        )
        return [(place + 1, instance) for place, instance in chosen]


def class_regions(label: UInt8[np.ndarray, "H W"]) -> tuple[FileInstance, ...]:
    """One instance per class of a class map; void is left out."""
    ids = [int(value) for value in np.unique(label) if value not in (0, VOID)]
    return tuple(FileInstance(category=value - 1, mask=label == value) for value in ids)


def void_of(labels: Labels) -> Bool[np.ndarray, "H W"] | None:
    """The void pixels; None without a class map, or when no pixel is void."""
    void = None if labels.label is None else labels.label == VOID
    return void if void is not None and void.any() else None


def united(masks: Sequence[Bool[np.ndarray, "H W"]], size: Size) -> Bool[np.ndarray, "H W"]:
    """True where any mask is; false everywhere without masks."""
    return np.any(masks, axis=0) if masks else np.zeros(size, bool)


def run_lengths(mask: Bool[np.ndarray, "H W"]) -> list[int]:
    """Lengths of the runs of equal pixels, row by row; the first run is of empty pixels and may be 0 long.

    >>> run_lengths(np.array([[True, True], [False, True]]))
    [0, 2, 1, 1]
    """
    flat = mask.ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, len(flat))
    runs = np.diff(ends, prepend=0).tolist()
    return [0, *runs] if flat[0] else runs

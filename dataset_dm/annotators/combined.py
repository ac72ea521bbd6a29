"""Several annotators as one: each labels the same images, class maps are kept where all agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dataset_dm.annotators.base import Annotator, required
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch, Reading, reading_of
from dataset_dm.diffusion import Backbone
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC, TASKS
from dataset_dm.models.annotators import JOIN, combined_hash
from dataset_dm.postprocess.consensus import consensus


@dataclass(frozen=True, slots=True)
class CombinedReading:
    """What each part read of a batch; None for parts that need the images alone."""

    parts: tuple[Reading | None, ...]

    @property
    def levels(self) -> Mapping[str, Float[Tensor, "b _ _ _"]]:
        """The maps that the parts read."""
        return {name: level for part in self.parts if part is not None for name, level in part.levels.items()}


class CombinedAnnotator:
    """Class maps where all annotators agree; other kinds of label by the first that reads them.

    Args:
        parts: two or more annotators of class maps.
    """

    def __init__(self, parts: Sequence[Annotator]) -> None:
        self.parts = tuple(parts)
        if len(self.parts) < 2 or any(SEMANTIC.name not in part.tasks for part in self.parts):
            said = ", ".join(f"{part.name} reads {', '.join(part.tasks)}" for part in self.parts)
            raise ValueError(f"CombinedAnnotator: expected two or more annotators of class maps, got {said}")
        self.name = JOIN.join(part.name for part in self.parts)
        self.fingerprint = combined_hash([part.fingerprint for part in self.parts])
        self.classes = next((part.classes for part in self.parts if part.classes), ())
        self.tasks = tuple(task for task in TASKS if any(task in part.tasks for part in self.parts))
        self.needs_generator = any(part.needs_generator for part in self.parts)
        self.levels = tuple(dict.fromkeys(level for part in self.parts for level in part.levels))

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch from the first part that cannot read this generator."""
        for part in self.parts:
            part.check_generator(fingerprint, name)

    def read(self, request: AnnotationRequest, backbone: Backbone | None) -> AnnotationRequest:
        """The request with the reading of every part; each gets the recorded levels that it asked for."""
        batch = request.batch.encoded(required(backbone, self.name)) if self.needs_generator else request.batch
        readings = [
            part.read(replace(request, batch=_levels_for(part, batch)), backbone).reading for part in self.parts
        ]
        return replace(request, batch=batch, reading=CombinedReading(tuple(readings)))

    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image; see `base.Annotator` and `postprocess.consensus`.

        Without class maps among the tasks there is nothing to compare.
        """
        readings = reading_of(request, CombinedReading, self.name).parts
        tasks = self.tasks if request.tasks is None else tuple(request.tasks)
        found = [
            part.annotate(replace(request, reading=reading, tasks=own, keep_probability=True))
            for part, reading, own in zip(self.parts, readings, self._shares(tasks), strict=True)
            if own
        ]
        if SEMANTIC.name not in tasks:
            return [replace(each[0], **_others(each)) for each in zip(*found, strict=True)]
        keep, classes = request.keep_probability, len(request.classes)
        return [
            replace(consensus(each, classes, keep_probability=keep), **_others(each))
            for each in zip(*found, strict=True)
        ]

    def _shares(self, wanted: Sequence[str]) -> list[tuple[str, ...]]:
        """What each part is to read: class maps all of them, of the rest what no earlier one reads."""
        shares, left = [], set(wanted)
        for part in self.parts:
            own = left & set(part.tasks)
            shares.append(tuple(task for task in TASKS if task in own))
            left -= own - {SEMANTIC.name}
        return shares


_OTHERS = ("objects", "depth", "depth_confidence")


def _others(found: Sequence[Annotation]) -> dict[str, Any]:
    """What is not about class maps, of the first that has it."""
    return {
        name: next((getattr(one, name) for one in found if getattr(one, name) is not None), None) for name in _OTHERS
    }


def _levels_for(part: Annotator, batch: ImageBatch) -> ImageBatch:
    if batch.levels is None:
        return batch
    return replace(batch, levels={name: batch.levels[name] for name in part.levels} or None)

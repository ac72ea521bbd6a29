"""Several labellers behind one: each reads the same pictures, class maps are kept where all say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.diffusion import Backbone
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC, TASKS
from dataset_dm.models.annotators import JOIN, combined_hash
from dataset_dm.postprocess.consensus import consensus


@dataclass(frozen=True, slots=True)
class Looks:
    """What each of the labellers saw of a batch."""

    parts: tuple[Any, ...]

    @property
    def levels(self) -> Mapping[str, Tensor]:
        """The maps that the labellers read, those that they want kept among them."""
        return {name: level for seen in self.parts for name, level in (getattr(seen, "levels", None) or {}).items()}


class CombinedAnnotator:
    """Class maps where all labellers agree; other kinds of label by the first that reads them.

    Args:
        parts: two or more labellers that read class maps.
    """

    def __init__(self, parts: Sequence[Annotator]) -> None:
        self.parts = tuple(parts)
        if len(self.parts) < 2 or any(SEMANTIC.name not in part.tasks for part in self.parts):
            said = ", ".join(f"{part.name} reads {', '.join(part.tasks)}" for part in self.parts)
            raise ValueError(f"CombinedAnnotator: expected two or more labellers that read class maps, got {said}")
        self.name = JOIN.join(part.name for part in self.parts)
        self.fingerprint = combined_hash([part.fingerprint for part in self.parts])
        self.classes = next((part.classes for part in self.parts if part.classes), ())
        self.tasks = tuple(task for task in TASKS if any(task in part.tasks for part in self.parts))
        self.levels = tuple(dict.fromkeys(level for part in self.parts for level in part.levels))

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch from the first part that cannot read this generator."""
        for part in self.parts:
            part.check_generator(fingerprint, name)

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> Looks:
        """Every labeller's own look; what was recorded while drawing goes to those that asked for it."""
        pictures = pictures.encoded(backbone)
        return Looks(tuple(part.look(backbone, _levels_for(part, pictures), classes) for part in self.parts))

    def annotate(
        self,
        seen: Looks,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        """One annotation an image; see :class:`dataset_dm.annotators.base.Annotator` and `postprocess.consensus`.

        Without class maps among ``tasks`` there is nothing to compare.
        """
        wanted = self.tasks if tasks is None else tuple(tasks)
        found = []
        for look, part, own in zip(seen.parts, self.parts, self._shares(wanted), strict=True):
            found.append(
                part.annotate(look, classes, requested, size, tasks=own, keep_probability=True) if own else None
            )
        if SEMANTIC.name not in wanted:
            return _merged([each for each in found if each is not None])
        return [
            replace(whole, **_others(each))
            for each in zip(*found, strict=True)
            for whole in [consensus(each, len(classes), keep_probability=keep_probability)]
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


def _merged(found: Sequence[Sequence[Annotation]]) -> list[Annotation]:
    return [replace(each[0], **_others(each)) for each in zip(*found, strict=True)]


def _levels_for(part: Annotator, pictures: Pictures) -> Pictures:
    if pictures.levels is None:
        return pictures
    return replace(pictures, levels={name: pictures.levels[name] for name in part.levels} or None)

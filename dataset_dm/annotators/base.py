"""What every labeller can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from dataset_dm.hypercolumns import Features, FeatureSpec
from dataset_dm.records import Annotation


@runtime_checkable
class Annotator(Protocol):
    """Reads labels out of the generator's maps; what it returns for an image depends on that image alone.

    Attributes:
        name: what opens it again.
        fingerprint: 16 hex digits over its weights and settings; part of the label fingerprint.
        classes: the class words it was trained on; the default list.
        spec: the maps it needs from the labelling pass.
        tasks: names of the kinds of label it reads, as in `dataset_dm.tasks.TASKS`.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    spec: FeatureSpec
    tasks: tuple[str, ...]

    def annotate(
        self,
        features: Features,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
    ) -> list[Annotation]:
        """One annotation an image.

        Args:
            features: the maps of b images; their class axis is ``classes``.
            classes: class words without background; label i + 1 is ``classes[i]``.
            requested: for each image the positions in ``classes`` that its prompt names, or None if unknown.
            size: (H, W) of the labels; default the image's own.
            tasks: what to read; default all it can. One pass gives them all.
        """
        ...

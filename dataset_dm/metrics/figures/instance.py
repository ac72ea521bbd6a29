"""Instances: AP of masks and boxes, calibration of their scores, the worst images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.detection import Detections
from dataset_dm.metrics.matching import match
from dataset_dm.metrics.report import Table
from dataset_dm.metrics.truth import Truth
from dataset_dm.metrics.worst_images import Worst
from dataset_dm.visualization.sheet import Row


@dataclass
class InstanceFigures:
    """Sums over images; `names` are the classes, background first."""

    names: Sequence[str]
    detections: Detections = field(init=False)
    reliability: Reliability = field(default_factory=Reliability)
    worst: Worst = field(default_factory=Worst)

    def __post_init__(self) -> None:
        self.detections = Detections(self.names[1:])

    def add(
        self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str, index: int
    ) -> None:
        """Count image `index`.

        A score is right when the mask meets a true instance of the class with an IoU of at least 0.5.

        Raises:
            ValueError: the annotation has no objects, or the truth no instances.
        """
        objects, true = annotation.objects, truth.instances
        if objects is None:
            raise ValueError("figures of instances: the annotation has none; annotate with the task instance")
        if true is None:
            raise ValueError("figures of instances: the truth has none")
        self.detections.add(objects, true)
        matches = match(objects, true)
        counted = ~matches.ignored
        self.reliability.add(np.minimum(objects.scores[counted].astype(float), 1.0), matches.truth[counted] >= 0)
        score = matches.quality(objects.scores)
        row = Row(image, prompt=prompt, index=index, note=f"quality {score:.2f}", objects=objects,
                  truth_objects=true, kinds=("instance",))  # fmt: skip
        self.worst.add(score, index, row)

    def figures(self) -> dict[str, float]:
        """AP of masks and of boxes, all and by size, and the ECE of the scores."""
        found: dict[str, float] = {}
        for kind, name in (("segm", "mask"), ("bbox", "box")):
            precision = self.detections.precision(kind)  # type: ignore[arg-type]
            found |= {f"{name}_ap": precision.ap, f"{name}_ap50": precision.ap50, f"{name}_ap75": precision.ap75}
            found |= {f"{name}_ap_{size}": ap for size, ap in precision.sizes.items()}
        return {**found, "object_ece": self.reliability.ece()}


def ap_table(title: str, runs: Sequence[tuple[str, InstanceFigures]]) -> Table:
    """Mask AP a class and run, side by side."""
    precisions = [run.detections.precision("segm").by_class for _, run in runs]
    names = runs[0][1].names
    rows = [[name, *(one[i] for one in precisions)] for i, name in enumerate(names[1:], start=1)]
    return Table(title, ["class", *(name for name, _ in runs)], rows)

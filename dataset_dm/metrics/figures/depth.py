"""Depth: errors, calibration, the worst images."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.depth import FACTOR, DepthErrors, factor, relative_error
from dataset_dm.metrics.truth import Truth
from dataset_dm.metrics.worst_images import Worst
from dataset_dm.visualization.sheet import Row


@dataclass
class DepthFigures:
    """Sums over images; a confidence is right when the depth is within a factor of 1.25 of the truth."""

    errors: DepthErrors = field(default_factory=DepthErrors)
    reliability: Reliability = field(default_factory=Reliability)
    worst: Worst = field(default_factory=Worst)

    def add(
        self, image: UInt8[np.ndarray, "h w 3"], annotation: Annotation, truth: Truth, prompt: str, index: int
    ) -> None:
        """Count image `index`.

        Raises:
            ValueError: the annotation or the truth has no depth.
        """
        depth, confidence, true = annotation.depth, annotation.depth_confidence, truth.depth
        if depth is None or confidence is None:
            raise ValueError("figures of depth: the annotation has none; annotate with the task depth")
        if true is None:
            raise ValueError("figures of depth: the truth has none")
        self.errors.add(depth, true)
        known = (true > 0) & (depth > 0)  # an unknown depth claims nothing
        right = factor(depth[known].astype(float), true[known].astype(float)) < FACTOR
        self.reliability.add(np.minimum(confidence[known].astype(float), 1.0), right)
        rel = relative_error(depth, true)
        row = Row(image, prompt=prompt, index=index, note=f"REL {rel:.2f}", depth=depth, truth_depth=true,
                  kinds=("depth",))  # fmt: skip
        self.worst.add(-rel, index, row)

    def figures(self) -> dict[str, float]:
        """REL, RMSE in metres, log10, δ1 … δ3, the share of pixels with an answer, ECE."""
        named = {f"depth_{name}": value for name, value in self.errors.figures().items()}
        return {**named, "depth_ece": self.reliability.ece()}

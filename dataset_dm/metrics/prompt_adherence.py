"""Prompt adherence: how many of the classes that prompts name are found in the generated images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.report import Table

# Of the image. The world's smallest objects that a caption names fill about this much; a handful of stray pixels,
# which every segmenter makes, does not count as a class found.
LEAST_SHARE = 0.01


@dataclass
class PromptAdherence:
    """Counts over images; classes are positions in `classes`, which leaves background out."""

    classes: Sequence[str] = VOC_CLASSES
    least_share: float = LEAST_SHARE
    asked: Int[np.ndarray, " k"] = field(init=False)
    found: Int[np.ndarray, " k"] = field(init=False)
    images: dict[int, int] = field(default_factory=dict)  # number of classes named → images
    complete: dict[int, int] = field(default_factory=dict)  # … → images that show every one of them
    unasked: int = 0  # classes found that no prompt named, summed over images

    def __post_init__(self) -> None:
        self.asked, self.found = (np.zeros(len(self.classes), dtype=np.int64) for _ in range(2))

    def add(self, named: Sequence[int], class_map: UInt8[np.ndarray, "h w"]) -> list[bool]:
        """Count one image; returns for each named class whether it was found.

        Args:
            named: positions of the classes that the prompt names.
            class_map: what the judge sees; 0 background, i + 1 the i-th class.
        """
        present = class_shares(class_map, len(self.classes)) >= self.least_share
        hits = [bool(present[i]) for i in named]
        for i, hit in zip(named, hits, strict=True):
            self.asked[i] += 1
            self.found[i] += hit
        kinds = len(named)
        self.images[kinds] = self.images.get(kinds, 0) + 1
        self.complete[kinds] = self.complete.get(kinds, 0) + all(hits)
        self.unasked += int(present.sum()) - sum(hits)
        return hits

    def rate(self, kinds: int) -> float:
        """Share of the images asked for `kinds` classes that show all of them; NaN when there is none."""
        images = self.images.get(kinds, 0)
        return self.complete.get(kinds, 0) / images if images else float("nan")

    def each(self) -> float:
        """Share of all requested classes found, prompts of any length."""
        return float(self.found.sum() / self.asked.sum()) if self.asked.sum() else float("nan")

    def figures(self, prefix: str = "") -> dict[str, float]:
        """The numbers that a report's figures hold."""
        images = max(sum(self.images.values()), 1)
        return {
            f"{prefix}one_class_found": self.rate(1),
            f"{prefix}two_classes_both_found": self.rate(2),
            f"{prefix}each_class_found": self.each(),
            f"{prefix}unasked_classes_an_image": self.unasked / images,
        }

    def table(self, title: str) -> Table:
        """Found over asked, by class."""
        rate = np.divide(self.found, self.asked, out=np.full(len(self.asked), np.nan), where=self.asked > 0)
        rows = [[name, int(self.asked[i]), float(rate[i])] for i, name in enumerate(self.classes)]
        return Table(title, ["class", "asked for", "found"], [*rows, ["all", int(self.asked.sum()), self.each()]])


def class_shares(class_map: UInt8[np.ndarray, "h w"], classes: int) -> Float[np.ndarray, " k"]:
    """Share of the image that each class fills, 0..1, background left out."""
    return np.bincount(class_map.ravel(), minlength=classes + 1)[1 : classes + 1] / class_map.size

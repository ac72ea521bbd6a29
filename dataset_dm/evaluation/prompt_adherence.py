"""Does the generator draw what it is asked for? The judge looks for the requested classes in generated images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.sources import NAMES, Pictures, Renders
from dataset_dm.metrics.report import Table
from dataset_dm.miniature.judge import Judge

# Of the picture. The world's smallest objects that a caption names fill about this much; a handful of stray pixels,
# which any segmenter makes, is no find.
LEAST_SHARE = 0.01


@dataclass
class Finds:
    """Counts over pictures; classes are positions in VOC_CLASSES."""

    least_share: float = LEAST_SHARE
    asked: np.ndarray = field(default_factory=lambda: np.zeros(len(NAMES) - 1, dtype=np.int64))
    found: np.ndarray = field(default_factory=lambda: np.zeros(len(NAMES) - 1, dtype=np.int64))
    images: dict[int, int] = field(default_factory=dict)  # number of classes asked for → pictures
    complete: dict[int, int] = field(default_factory=dict)  # … → pictures that show every one of them
    unasked: int = 0  # classes found though nobody asked, summed over pictures

    def add(self, named: Sequence[int], class_map: np.ndarray) -> list[bool]:
        """Count one picture: the classes its prompt names and the judge's map uint8 [H W]; returns what was found."""
        share = np.bincount(class_map.ravel(), minlength=len(NAMES))[1:] / class_map.size
        there = share >= self.least_share
        hits = [bool(there[i]) for i in named]
        for i, hit in zip(named, hits, strict=True):
            self.asked[i] += 1
            self.found[i] += hit
        kinds = len(named)
        self.images[kinds] = self.images.get(kinds, 0) + 1
        self.complete[kinds] = self.complete.get(kinds, 0) + all(hits)
        self.unasked += int(there.sum()) - sum(hits)
        return hits

    def rate(self, kinds: int) -> float:
        """Share of the pictures asked for `kinds` classes that show all of them; NaN when there is none."""
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
        """Found over asked, a class."""
        rate = np.divide(self.found, self.asked, out=np.full(len(self.asked), np.nan), where=self.asked > 0)
        rows = [[name, int(self.asked[i]), float(rate[i])] for i, name in enumerate(NAMES[1:])]
        return Table(title, ["class", "asked for", "found"], [*rows, ["all", int(self.asked.sum()), self.each()]])


def in_generated(judge: Judge, batches: Iterable[Pictures], count: int) -> tuple[Finds, list[tuple[Pictures, int]]]:
    """Finds over generated images, and the first misses as (batch, place in it) for a look."""
    finds, misses = Finds(), []
    with bar(count, "image", "generated images judged") as progress:
        for pictures in batches:
            maps = judge.segment(pictures.images).cpu().numpy()
            for i, class_map in enumerate(maps):
                if not all(finds.add(pictures.named[i], class_map)) and len(misses) < 12:
                    misses.append((pictures, i))
            progress.update(len(pictures))
    return finds, misses


def in_renders(judge: Judge, batches: Iterable[Renders], count: int) -> Finds:
    """The control: how often the judge finds what truly fills at least LEAST_SHARE of a render; no generator reaches
    more than this."""
    finds = Finds()
    with bar(count, "render", "renders judged") as progress:
        for batch in batches:
            maps = judge.segment(batch.pictures.images).cpu().numpy()
            for class_map, truth in zip(maps, batch.truth, strict=True):
                share = np.bincount(truth.ravel(), minlength=len(NAMES))[1:] / truth.size
                finds.add(np.flatnonzero(share >= LEAST_SHARE).tolist(), class_map)
            progress.update(len(batch.pictures))
    return finds

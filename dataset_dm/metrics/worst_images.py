"""The worst images of a run."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from dataset_dm.visualization.sheet import Row


@dataclass
class Worst:
    """The `keep` tiles with the lowest score; the earlier image wins a tie."""

    keep: int = 12
    _heap: list[tuple[float, int, Row]] = field(default_factory=list)

    def add(self, score: float, index: int, row: Row) -> None:
        """Offer the tile of image `index`; a score of NaN is left out."""
        if math.isnan(score):
            return
        entry = (-score, -index, row)
        if len(self._heap) < self.keep:
            heapq.heappush(self._heap, entry)
        elif entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def rows(self) -> list[Row]:
        """The tiles, worst first."""
        return [row for _, _, row in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]

"""The worst images: lowest score first, bounded, never by chance."""

import numpy as np

from dataset_dm.metrics.worst_images import Worst
from dataset_dm.visualization.sheet import Row


def test_lowest_first_and_bounded() -> None:
    worst = Worst(keep=3)
    for index, score in enumerate([0.5, 0.1, float("nan"), 0.9, 0.1, 0.1, 0.05]):
        worst.add(score, index, Row(np.zeros((4, 4, 3), np.uint8), index=index))
    assert [row.index for row in worst.rows()] == [6, 1, 4]  # of three equals the earlier two

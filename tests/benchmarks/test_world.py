"""Figures of the world: colour tells little about class."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.miniature.world.scene import sample
from tests.benchmarks.world import PixelClassifier, mean_iou


def test_colour_says_little_about_class() -> None:
    renderings = [sample(2, index, size=(32, 32))[1] for index in range(220)]
    classifier = PixelClassifier(8, 1)
    for rendering in renderings[:160]:
        classifier.fit(rendering)
    assert mean_iou(classifier.confusion(renderings[160:])) < 12.0


def test_mean_iou_by_hand() -> None:
    # class 0: 2 hits of union 4; class 1: 1 hit of union 3
    assert mean_iou(np.array([[2, 1], [1, 1]])) == pytest.approx(100 * (2 / 4 + 1 / 3) / 2)

"""Settings suit the classes."""

from __future__ import annotations

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.places import PLACES, draw_kind


def test_any_mix_of_classes_has_a_place() -> None:
    assert set(PLACES) == set(VOC_CLASSES)
    assert draw_kind(VOC_CLASSES, np.random.default_rng(0)) in ("street", "field")
    assert draw_kind(["sofa", "boat", "aeroplane"], np.random.default_rng(1)) in ("street", "field")

"""Found rates by hand."""

import math

import numpy as np
import pytest

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.prompt_adherence import PromptAdherence

CAR, DOG, CAT = (VOC_CLASSES.index(name) for name in ("car", "dog", "cat"))


def image(**shares: int) -> np.ndarray:
    """A 10×10 class map with so many pixels of each class."""
    flat = np.zeros(100, dtype=np.uint8)
    start = 0
    for name, pixels in shares.items():
        flat[start : start + pixels] = 1 + VOC_CLASSES.index(name)
        start += pixels
    return flat.reshape(10, 10)


def test_rates_by_hand() -> None:
    finds = PromptAdherence(least_share=0.05)
    assert finds.add([CAR], image(car=20)) == [True]
    assert finds.add([CAR], image(car=4, dog=30)) == [False]  # too small; and a dog that was not asked for
    assert finds.add([CAR, DOG], image(car=5, dog=5)) == [True, True]
    assert finds.add([CAR, DOG], image(dog=50)) == [False, True]
    assert finds.rate(1) == 0.5 and finds.rate(2) == 0.5 and math.isnan(finds.rate(3))
    assert finds.each() == pytest.approx(4 / 6)
    assert finds.unasked == 1
    assert finds.figures()["unasked_classes_an_image"] == 0.25
    rows = {row[0]: row[1:] for row in finds.table("t").rows}
    assert rows["car"] == [4, 0.5] and rows["dog"] == [2, 1.0] and rows["cat"][0] == 0 and math.isnan(rows["cat"][1])

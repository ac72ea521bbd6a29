"""Panels: sizes of the shown image, labels thinned alike, frames of boxes."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.labels.instances import Instances
from dataset_dm.visualization.panels import View, draw_boxes


@pytest.mark.parametrize(
    ("side", "size", "scale"),
    [(10, (10, 10), 4), (40, (40, 40), 1), (100, (40, 40), 1)],
    ids=["small", "same", "large"],
)
def test_an_image_is_enlarged_by_a_whole_factor_or_shrunk(side: int, size: tuple[int, int], scale: int) -> None:
    view = View.of(np.zeros((side, side, 3), np.uint8), 40)
    assert (view.size, view.scale, view.image.size) == (size, scale, (40, 40))
    assert view.ratio == (40 / side, 40 / side)


def test_labels_take_the_pixel_under_the_centre() -> None:
    view = View.of(np.zeros((100, 100, 3), np.uint8), 40)
    thinned = view.thin(np.tile(np.arange(100), (100, 1)))
    assert thinned.shape == (40, 40) and thinned[0, :4].tolist() == [1, 3, 6, 8]  # centres at 1.25, 3.75, 6.25, 8.75


def test_boxes_are_framed_just_outside_of_their_pixels() -> None:
    view = View.of(np.zeros((40, 40, 3), np.uint8), 40)
    numbers = np.zeros((40, 40), np.int32)
    numbers[20:30, 10:20] = 1
    panel = draw_boxes(Image.new("RGB", (40, 40)), view, Instances(map=numbers, classes=np.array([1])), ["", "a"])
    framed = np.asarray(panel).any(axis=-1)
    assert framed[25, 8:10].all() and framed[25, 20] and not framed[25, 11:19].any()

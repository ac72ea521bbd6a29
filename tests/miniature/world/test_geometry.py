"""The plain data of a scene: defaults, and arrays of the stated shapes."""

import numpy as np
import pytest

from dataset_dm.miniature.world import render
from dataset_dm.miniature.world.geometry import SHAPES, SLOTS, Figure, Rendering, Solid
from tests.miniature.world.scenes import body, scene
from tests.shapes import ShapeError


def test_every_shape_and_slot_can_be_drawn() -> None:
    for shape in SHAPES:
        for slot in SLOTS:
            rendering = render(scene(body(Solid(shape, (0, 0, 4), (0.4, 0.5, 0.4), slot))), (32, 32))
            assert rendering.class_map.max() == 7 and rendering.instance_map.max() == 1


def test_a_rendering_holds_maps_of_one_size() -> None:
    rendering = render(scene(body(Solid("box", (0, 0, 4), (0.4, 0.4, 0.4)))), (24, 40))
    assert rendering.image.shape == rendering.clean.shape == (24, 40, 3)
    assert rendering.class_map.shape == rendering.instance_map.shape == rendering.depth.shape == (24, 40)
    with pytest.raises(ShapeError):
        Rendering(*(np.zeros(shape, np.uint8) for shape in ((4, 4, 3), (4, 4, 3), (4, 4), (5, 4))), rendering.depth)


def test_keypoints_of_a_figure_are_coco_s_seventeen() -> None:
    assert Figure((), np.zeros((17, 3))).keypoints.shape == (17, 3)
    with pytest.raises(ShapeError):
        Figure((), np.zeros((16, 3)))

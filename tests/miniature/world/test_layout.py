"""Layouts: objects stand in front of the camera, at their wanted size, apart on the ground."""

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.layout import layout, place_figure, reach
from dataset_dm.miniature.world.outline import bounds, extent, project, rectangles_meet

CUBE = Figure((Solid("box", (0.0, 0.5, 0.0), (0.5, 0.5, 0.5)),))


def test_a_figure_without_a_place_lies_at_the_origin() -> None:
    cube = place_figure(7, CUBE, 0.0)
    assert cube.class_id == 7 and cube.scale == 1.0
    assert cube.world().reshape(-1, 3).min(0) == pytest.approx([-0.5, 0.0, -0.5])
    assert cube.plan() == pytest.approx(np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]))


def test_reach_of_two_cubes_by_hand() -> None:
    one, other = place_figure(7, CUBE, 0.0), place_figure(7, CUBE, 0.0)
    other.position, other.scale = np.array([2.0, 0.0, 5.0]), 2.0
    assert reach([one, other]) == pytest.approx([3.0, 2.0, 6.0])  # half width, top, far end


@pytest.mark.parametrize("kind", ["room", "street", "field", "water", "sky"])
def test_objects_are_seen_and_do_not_meet(kind: str) -> None:
    rng = np.random.default_rng(4)
    camera, placed = layout([place_figure(7, CUBE, yaw) for yaw in (0.1, 0.9)], kind, rng)
    for one in placed:
        frame, depth = project(one.world(), camera)
        assert depth.min() > 0 and 0.05 < extent(bounds(frame)) < 1
    if len(placed) == 2:
        assert not rectangles_meet(placed[0].plan() * (1 - 1e-9), placed[1].plan())

"""Ground, walls and sky."""

from dataclasses import replace

import pytest

from dataset_dm.miniature.world.geometry import Camera, Setting
from dataset_dm.miniature.world.render import render
from dataset_dm.miniature.world.surfaces import FAR
from tests.miniature.world.scenes import SKY, scene


def test_depth_of_ground_and_walls():
    camera = Camera((0.0, 2.0, 0.0), 0.0, 0.5)
    empty = scene(camera=camera, setting=Setting("field", (0.3, 0.3, 0.3)))
    depth = render(empty).depth
    # rays of row 100 fall by 36.25 / 128 and 36.75 / 128 per metre
    assert depth[100, 5] == pytest.approx((2 * 128 / 36.25 + 2 * 128 / 36.75) / 2, rel=1e-5)
    assert (depth[:64] == 0).all() and depth.max() < FAR
    room = replace(empty, setting=Setting("room", (0.3, 0.3, 0.3), room=(1.0, 3.0, 8.0)))
    depth = render(room).depth
    assert depth[64, 64] == pytest.approx(8.0)
    assert depth[64, 0] == pytest.approx((128 / 63.75 + 128 / 63.25) / 2, rel=1e-5)
    assert depth[0, 64] == pytest.approx((128 / 63.75 + 128 / 63.25) / 2, rel=1e-5)  # ceiling, 1 m above the eye
    assert (depth > 0).all()
    assert (render(replace(empty, setting=SKY)).depth == 0).all()

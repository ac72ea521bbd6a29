"""Solids of bodies in world coordinates."""

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Solid
from dataset_dm.miniature.world.placing import place
from dataset_dm.miniature.world.project import solid_bounds, view
from dataset_dm.miniature.world.render import render
from tests.miniature.world.scenes import AHEAD, body, scene


def test_placing_a_body():
    ball = body(Solid("ellipsoid", (1, 0, 0), (0.1, 0.1, 0.1)), position=(0, 0, 5), yaw=np.pi / 2, scale=2.0)
    image = render(scene(ball))  # yaw pi/2 turns +x towards the camera: the ball stands at z = 3, radius 0.2
    assert image.depth[64, 64] == pytest.approx(2.8, abs=1e-3)
    low, high = 64 - 128 * 0.2 / np.sqrt(9 - 0.04), 64 + 128 * 0.2 / np.sqrt(9 - 0.04)
    assert solid_bounds(place([ball]), view(AHEAD, (128, 128)))[0] == pytest.approx([low, low, high, high])

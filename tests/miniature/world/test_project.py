"""Points, bounds and keypoints in pixels."""

from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Camera, Solid
from dataset_dm.miniature.world.project import project_points
from dataset_dm.miniature.world.render import render
from tests.miniature.world.scenes import body, scene


def test_a_point_is_projected_where_it_is_drawn():
    camera = Camera((0.3, 1.5, -0.2), 0.2, 0.7)
    point = (0.5, 0.9, 4.0)
    x, y, depth = project_points(np.array([point]), camera, (96, 128))[0]
    image = render(scene(body(Solid("ellipsoid", point, (0.2, 0.2, 0.2))), camera=camera), (96, 128))
    assert image.image.shape == (96, 128, 3)
    rows, columns = np.nonzero(image.instance_map)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.1)
    assert image.depth[int(y), int(x)] == pytest.approx(depth - 0.2, abs=5e-3)
    # by hand: 1.5 m above, pitch 0.2: depth = 4.2 cos + 0.6 sin
    assert depth == pytest.approx(4.2 * np.cos(0.2) + 0.6 * np.sin(0.2))
    assert np.isnan(project_points(np.array([(0, 0, -3.0)]), camera)[0, :2]).all()


def test_keypoints_hidden_visible_outside():
    joints = np.zeros((17, 3))
    joints[:, 1] = 1.0
    joints[0] = (0.19, 1.5, 0.0)  # on the front of the head, which faces +x
    joints[1] = (-0.19, 1.5, 0.0)  # on its back
    joints[5] = (0.0, 0.9, 0.0)  # inside the trunk
    joints[11] = (0.0, 0.3, 0.0)  # inside the trunk, behind the plate
    joints[15] = (0.0, 1.0, 9.0)  # far to the side: outside the image
    solids = (Solid("ellipsoid", (0, 1.5, 0), (0.2, 0.2, 0.2)), Solid("capsule", (0, 0.65, 0), (0.1, 0.65, 0.1)))
    person = body(*solids, position=(0, -0.7, 4), yaw=np.pi / 2, class_id=15, keypoints=joints)
    plate = body(Solid("box", (0, -0.4, 2), (0.3, 0.2, 0.05)))
    found = render(scene(person, plate)).keypoints
    assert found[1] is None
    points = found[0]
    assert points.shape == (17, 3) and points.dtype == np.float32
    assert points[[0, 1, 5, 11, 15], 2].tolist() == [2, 1, 2, 1, 0]
    assert points[15].tolist() == [0, 0, 0]
    assert points[5, :2] == pytest.approx([64, 64 - 128 * 0.2 / 4])
    turned = render(scene(replace(person, yaw=-np.pi / 2), plate)).keypoints[0]
    assert turned[[0, 1], 2].tolist() == [1, 2]
    alone = render(scene(person)).keypoints[0]
    assert alone[11, 2] == 2

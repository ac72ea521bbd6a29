"""Rays against unit shapes: hand-worked hits and normals, and points that satisfy each shape's equation."""

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import SHAPES
from dataset_dm.miniature.world.intersect import Rays, hit, unit_normals

BOX, ELLIPSOID, CYLINDER, CONE, CAPSULE = range(len(SHAPES))


def shoot(shape, origin, directions, reach=1.0):
    """First t (n,) along directions (n, 3)."""
    directions = np.asarray(directions, np.float32).reshape(-1, 3)
    rays = Rays(np.asarray(origin, np.float32), directions, np.zeros((1, 3), np.float32))
    with np.errstate(all="ignore"):
        return hit(shape, rays, reach)[:, 0]


@pytest.mark.parametrize(
    ("shape", "origin", "direction", "reach", "t", "normal"),
    [
        (BOX, (0.3, 0.2, -5), (0, 0, 1), 1, 4, (0, 0, -1)),
        (BOX, (0.3, 6, 0.1), (0, -2, 0), 1, 2.5, (0, 1, 0)),
        (ELLIPSOID, (0, 0, -5), (0, 0, 2), 1, 2, (0, 0, -1)),
        (ELLIPSOID, (0.6, 0, -5), (0, 0, 1), 1, 4.2, (0.6, 0, -0.8)),
        (CYLINDER, (0.6, 0.5, -5), (0, 0, 1), 1, 4.2, (0.6, 0, -0.8)),
        (CYLINDER, (0.2, 4, 0.1), (0, -1, 0), 1, 3, (0, 1, 0)),
        # radius 0.5 half way up; the side rises by 2 over 1, so its normal is (., 1/2, .) beside a unit outwards
        (CONE, (0, 0, -5), (0, 0, 1), 1, 4.5, np.array((0, 0.5, -1)) / np.sqrt(1.25)),
        (CONE, (0.2, -4, 0.1), (0, 1, 0), 1, 3, (0, -1, 0)),
        (CAPSULE, (0, 1.5, -5), (0, 0, 1), 2, 4, (0, 0, -1)),
        (CAPSULE, (0, 2.6, -5), (0, 0, 1), 2, 4.2, (0, 0.6, -0.8)),
        (CAPSULE, (0, 7, 0), (0, -1, 0), 2, 4, (0, 1, 0)),
    ],
)
def test_known_hit(shape, origin, direction, reach, t, normal):
    found = shoot(shape, origin, direction, reach)
    assert found[0] == pytest.approx(t, abs=1e-4)
    point = np.asarray(origin, np.float32) + found[0] * np.asarray(direction, np.float32)
    raw = unit_normals(shape, point[:, None], reach)[:, 0]
    assert raw / np.linalg.norm(raw) == pytest.approx(np.asarray(normal), abs=1e-3)


@pytest.mark.parametrize(
    ("shape", "origin", "direction"),
    [
        (BOX, (1.1, 0, -5), (0, 0, 1)),
        (ELLIPSOID, (0.8, 0.8, -5), (0, 0, 1)),
        (CYLINDER, (0, 1.1, -5), (0, 0, 1)),
        (CYLINDER, (0.8, 5, 0.8), (0, -1, 0)),
        (CONE, (0.6, 0, -5), (0, 0, 1)),  # inside the cylinder around the cone, outside the cone
        (CONE, (0, 1.5, -5), (0, 0, 1)),  # the mirrored cone above the tip is no part of it
        (CAPSULE, (0.8, 2.8, -5), (0, 0, 1)),
    ],
)
def test_known_miss(shape, origin, direction):
    t = shoot(shape, origin, direction, 2.0)[0]
    assert not t < 1e9


def outside(shape, p, reach):
    """Signed: < 0 inside the unit shape, 0 on its surface, > 0 outside."""
    x, y, z = p.T
    radius = np.hypot(x, z)
    return {
        "box": np.abs(p).max(1) - 1,
        "ellipsoid": np.linalg.norm(p, axis=1) - 1,
        "cylinder": np.maximum(radius, np.abs(y)) - 1,
        "cone": np.maximum(radius - (1 - y) / 2, -1 - y),
        "capsule": np.sqrt(radius**2 + (y - np.clip(y, -reach, reach)) ** 2) - 1,
    }[SHAPES[shape]]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_hits_are_the_first_point_of_the_shape(shape):
    rng = np.random.default_rng(shape)
    reach = 1.7 if shape == CAPSULE else 1.0
    for _ in range(20):
        origin = rng.normal(size=3)
        origin *= 6 / np.linalg.norm(origin)
        directions = (rng.uniform(-1.5, 1.5, (200, 3)) - origin) / 6
        t = shoot(shape, origin, directions, reach)
        steps = np.linspace(0, 12, 600)[:, None, None]
        path = outside(shape, (origin + steps * directions).reshape(-1, 3), reach).reshape(600, 200)
        met = np.isfinite(t)
        assert path[:, ~met].min() > -0.02  # a miss passes outside (marching may graze)
        assert (path[:, path.min(0) < -0.02].shape[1]) <= met.sum()
        points = origin + t[met, None] * directions[met]
        assert np.abs(outside(shape, points, reach)).max() < 2e-4
        before = np.where(steps[:, 0] < t[met] - 1e-3, path[:, met], np.inf)
        assert before.min() > -2e-4
        normal = unit_normals(shape, points.T.astype(np.float32), reach).T
        assert ((normal * directions[met]).sum(1) < 1e-4).all()


def test_affine_directions_equal_the_full_ones():
    rng = np.random.default_rng(0)
    origin = np.array([0.2, 0.3, -4], np.float32)
    row = rng.uniform(-0.2, 0.2, (7, 3)).astype(np.float32) + np.float32([0, 0, 1])
    column = rng.uniform(-0.2, 0.2, (5, 3)).astype(np.float32)
    every = (row[:, None] + column[None]).reshape(-1, 3)
    for shape in range(len(SHAPES)):
        with np.errstate(all="ignore"):
            grid = hit(shape, Rays(origin, row, column), 1.5).ravel()
        single = shoot(shape, origin, every, 1.5)
        met = np.isfinite(single)
        assert met.any() and (met == np.isfinite(grid)).all()
        assert grid[met] == pytest.approx(single[met], rel=1e-4)

"""The tools of the object builders, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import SHAPES, Figure, Solid
from dataset_dm.miniature.world.objects.parts import along, both, bounds, normalise, spike, tube, turn


def surface(solid: Solid) -> np.ndarray:
    """Points (n, 3) of a solid's surface: rays from its centre, by bisection on the inside test of its shape."""
    directions = np.random.default_rng(0).normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    low, high = np.zeros(len(directions)), np.full(len(directions), 2 * float(np.linalg.norm(solid.half)))
    x_half, y_half, z_half = solid.half
    for _ in range(40):
        middle = (low + high) / 2
        x, y, z = (directions * middle[:, None]).T
        round_part = (x / x_half) ** 2 + (z / z_half) ** 2
        inside = {
            "box": (abs(x) <= x_half) & (abs(y) <= y_half) & (abs(z) <= z_half),
            "ellipsoid": round_part + (y / y_half) ** 2 <= 1,
            "cylinder": (round_part <= 1) & (abs(y) <= y_half),
            "cone": (round_part <= ((1 - y / y_half) / 2) ** 2) & (abs(y) <= y_half),
            "capsule": x**2 + z**2 + np.maximum(abs(y) - (y_half - x_half), 0) ** 2 <= x_half**2,
        }[solid.shape]
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    points = directions * low[:, None]
    return (points if solid.rotation is None else points @ solid.rotation.T) + np.asarray(solid.center)


@pytest.mark.parametrize("shape", SHAPES)
def test_bounds_are_the_solids_own(shape: str) -> None:
    half = (0.3, 0.7, 0.3) if shape == "capsule" else (0.3, 0.7, 0.5)
    solid = Solid(shape, (0.2, 1.0, -0.4), half, "main", turn("x", 25) @ turn("z", -50))
    low, high = bounds([solid])
    points = surface(solid)
    assert (points >= low - 1e-9).all() and (points <= high + 1e-9).all()
    # 4000 random rays come near every side, but seldom meet the corner of a box or the tip of a cone exactly
    assert np.abs(points.min(0) - low).max() < 0.08 and np.abs(points.max(0) - high).max() < 0.08


def test_normalise_by_hand() -> None:
    box = Solid("box", (5.0, 3.0, 1.0), (2.0, 0.5, 1.0))  # 4 wide, 1 high: geometric mean 2
    figure = normalise(Figure((box,), np.tile([5.0, 3.5, 1.0], (17, 1))))
    assert figure.solids[0].center == pytest.approx((0.0, 0.25, 0.0))
    assert figure.solids[0].half == pytest.approx((1.0, 0.25, 0.5))
    assert figure.keypoints == pytest.approx(np.tile([0.0, 0.5, 0.0], (17, 1)))


def test_tools_point_where_they_say() -> None:
    assert turn("z", 90) @ [1, 0, 0] == pytest.approx([0, 1, 0])
    assert along((3.0, 0.0, 0.0)) @ [0, 1, 0] == pytest.approx([1, 0, 0])
    low, high = bounds([tube((0, 0, 0), (1, 0, 0), 0.25)])
    assert (low, high) == (pytest.approx([-0.25, -0.25, -0.25]), pytest.approx([1.25, 0.25, 0.25]))
    low, high = bounds([spike((0, 0, 0), (2, 0, 0), 0.5)])
    assert (low, high) == (pytest.approx([0, -0.5, -0.5]), pytest.approx([2, 0.5, 0.5]))
    left, right = both([spike((0, 0, 0.2), (0, 1, 1.0), 0.1)])
    assert bounds([right])[0][2] == pytest.approx(-bounds([left])[1][2])
    assert np.linalg.det(right.rotation) == pytest.approx(1.0)

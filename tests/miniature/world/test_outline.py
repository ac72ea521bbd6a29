"""Projected outlines, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Camera, Figure, Solid
from dataset_dm.miniature.world.outline import (
    bounds,
    coverage,
    extent,
    figure_points,
    footprint,
    project,
    rectangles_meet,
    turned,
)


def test_coverage_of_a_square_by_hand() -> None:
    square = np.array([[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]])
    assert coverage(square).mean() == pytest.approx(0.25)


def test_rectangles_meet_by_hand() -> None:
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    diamond = np.array([(0.0, -0.7), (0.7, 0.0), (0.0, 0.7), (-0.7, 0.0)])
    assert rectangles_meet(square, square + 0.9)
    assert not rectangles_meet(square, square + np.array([1.1, 0.0]))
    assert not rectangles_meet(square, diamond + np.array([1.4, 1.4]))  # their bounds overlap, they do not


def test_a_point_in_the_middle_of_the_frame() -> None:
    camera = Camera((0.0, 1.0, 0.0), 0.0, 0.5)
    frame, depth = project(np.array([[0.0, 1.0, 4.0], [2.0, 1.0, 4.0], [0.0, 3.0, 4.0]]), camera)
    assert frame == pytest.approx(np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 0.0]]))  # half the frame is 0.5 * 4 metres
    assert depth == pytest.approx([4, 4, 4])


def test_a_figure_that_is_turned_by_a_quarter_looks_at_the_camera() -> None:
    assert turned(np.array([[1.0, 2.0, 0.0]]), np.pi / 2) == pytest.approx(np.array([[0.0, 2.0, -1.0]]))


def test_points_of_a_turned_box_and_its_footprint() -> None:
    solid = Solid("box", (1.0, 0.5, 0.0), (0.5, 0.5, 0.25))
    points = figure_points(Figure((solid,)))
    assert points.shape == (1, 26, 3)
    assert bounds(points[0][:, :2]) == pytest.approx([0.5, 0.0, 1.5, 1.0])
    assert footprint(points) == pytest.approx(np.array([(0.5, -0.25), (1.5, -0.25), (1.5, 0.25), (0.5, 0.25)]))
    assert extent(np.array([0.0, 0.0, 0.4, 0.9])) == pytest.approx(0.6)

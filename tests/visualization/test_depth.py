"""Depth colours: even steps to the eye, near and far ends, unknown hatched, ticks at round metres."""

import numpy as np
import pytest

from dataset_dm.visualization.depth import Scale, colour_depth, colours, draw_bar, scale_of, ticks
from dataset_dm.visualization.oklab import to_oklab, to_rgb


def test_oklab_of_known_colours() -> None:
    assert to_oklab(np.array([255, 255, 255])) == pytest.approx([1, 0, 0], abs=1e-6)
    assert to_oklab(np.array([255, 0, 0])) == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
    every = np.random.default_rng(0).integers(0, 256, (50, 3))
    assert np.array_equal(to_rgb(to_oklab(every)), every)


def test_colours_are_perceptually_even() -> None:
    table = to_oklab(colours())
    steps = np.linalg.norm(np.diff(table[::15], axis=0), axis=1)  # 8 bits make single steps uneven
    assert steps.max() / steps.min() < 1.15
    assert (np.diff(table[::5, 0]) < 0).all() and table[0, 0] > 0.9 and table[-1, 0] < 0.26


def test_equal_ratios_are_equal_steps() -> None:
    scale = Scale(1.0, 16.0)
    assert scale.position(np.array([1, 2, 4, 8, 16.0])) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert scale.position(np.array([0.5, 99.0])).tolist() == [0, 1]


def test_near_is_pale_far_is_dark_and_unknown_is_hatched() -> None:
    depth = np.array([[1, 4], [0, np.nan]], np.float32)
    drawn = np.asarray(colour_depth(depth, Scale(1, 4), 16)).astype(int)
    assert drawn.shape == (32, 32, 3)
    assert drawn[0, 0].tolist() == colours()[0].tolist() and drawn[0, 31].tolist() == colours()[255].tolist()
    for unknown in (drawn[16:, :16], drawn[16:, 16:]):
        assert set(unknown.reshape(-1, 3)[:, 0].tolist()) <= {110, 215} and (unknown == unknown[..., :1]).all()
    nothing = np.asarray(colour_depth(np.zeros((8, 8), np.float32), None, 2))
    assert set(np.unique(nothing).tolist()) == {110, 215}


def test_scale_covers_what_is_known() -> None:
    assert scale_of([]) is None and scale_of([np.zeros((4, 4)), np.full((2, 2), np.nan)]) is None
    even = scale_of([np.full((4, 4), 3.0)])
    assert even.near < 3 < even.far
    depth = np.linspace(1, 11, 1001)
    scale = scale_of([depth.reshape(7, 143), np.zeros((2, 2))])
    assert scale.near == pytest.approx(1.05) and scale.far == pytest.approx(10.4)


@pytest.mark.parametrize(
    ("near", "far", "expected"),
    [(1.8, 21, [2, 3, 5, 7, 10, 15, 20]), (0.9, 80, [1, 2, 5, 10, 20, 50]), (2.8571, 3.15, [3])],
)
def test_ticks_are_round(near: float, far: float, expected: list[float]) -> None:
    marks = ticks(Scale(near, far))
    if len(expected) > 1:
        assert marks == pytest.approx(expected)
    else:
        assert marks == [near, far]  # no two round ones inside: the ends themselves
    assert draw_bar(Scale(near, far)).height < 48

"""Masks as polygons and back, to the last pixel."""

import numpy as np
import pytest

from dataset_dm.exports.polygons import fill, joined, outlines


def test_a_pixel_is_its_four_corners() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    (ring,) = outlines(mask)
    assert sorted(map(tuple, ring.tolist())) == [(2, 1), (2, 2), (3, 1), (3, 2)]


def test_straight_edges_have_no_points_between() -> None:
    (ring,) = outlines(np.ones((5, 7), bool))
    assert len(ring) == 4


def test_a_ring_has_two_outlines_and_one_polygon() -> None:
    mask = np.ones((5, 5), bool)
    mask[2, 2] = False
    rings = outlines(mask)
    assert len(rings) == 2
    np.testing.assert_array_equal(fill(joined(rings), mask.shape), mask)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_any_mask_comes_back(seed: int, share: float) -> None:
    """Corners that touch, holes in parts in holes, the image's edges."""
    mask = np.random.default_rng(seed).random((13, 17)) < share
    np.testing.assert_array_equal(fill(joined(outlines(mask)), mask.shape), mask)
    rounded = np.round(joined(outlines(mask)) / (17, 13), 7) * (17, 13)
    np.testing.assert_array_equal(fill(rounded, mask.shape), mask)


def test_fill_takes_pixels_by_their_centres() -> None:
    triangle = np.array([[0, 0], [4, 0], [0, 4]])
    assert fill(triangle, (4, 4)).astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_a_polygon_may_reach_over_the_edge() -> None:
    assert fill(np.array([[-5, -5], [9, -5], [9, 9], [-5, 9]]), (3, 4)).all()
    assert not fill(np.array([[5, 0], [9, 0], [9, 3]]), (3, 4)).any()

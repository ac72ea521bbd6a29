"""Light on solids, and their shadows."""

from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Camera, Light, Setting, Solid
from dataset_dm.miniature.world.placing import place
from dataset_dm.miniature.world.project import project_points, view
from dataset_dm.miniature.world.render import cast, render
from dataset_dm.miniature.world.shading import world_normals
from dataset_dm.miniature.world.surfaces import grid
from tests.miniature.world.scenes import body, mixed_scene, scene


def test_normals_fit_the_depth():
    """The normal of a hit is at right angles to the way to the neighbouring hits of a smooth solid."""
    many = mixed_scene(seed=5)
    rays, solids = grid(view(many.camera, (512, 512))), place(many.bodies)
    depth = np.full(rays.shape, np.inf, np.float32)
    which = cast(solids, view(many.camera, (512, 512)), rays, depth)
    where = np.flatnonzero(which >= 0)
    direction = rays.by_row[:, None] + rays.by_column[None]
    hits = direction.reshape(-1, 3)[where].T.astype(np.float32)
    normal = np.full((*rays.shape, 3), np.nan)
    normal.reshape(-1, 3)[where] = world_normals(solids, rays, hits, which.ravel()[where], depth.ravel()[where]).T
    assert np.linalg.norm(normal[which >= 0], axis=1) == pytest.approx(1, abs=1e-5)
    point = direction * np.where(which >= 0, depth, np.nan)[..., None]
    for shift in ((0, 2), (2, 0)):
        before, after = np.roll(point, shift, (0, 1)), np.roll(point, (-shift[0], -shift[1]), (0, 1))
        same = (np.roll(which, shift, (0, 1)) == which) & (np.roll(which, (-shift[0], -shift[1]), (0, 1)) == which)
        same &= which >= 0
        way = (after - before)[same]
        across = np.abs((way * normal[same]).sum(1)) / np.linalg.norm(way, axis=1)
        assert same.sum() > 5000
        assert np.quantile(across, 0.9) < 0.03  # edges of boxes, caps and bases are the rest


def test_neighbours_of_one_colour_can_be_told_apart():
    pair = body(Solid("box", (-0.5, 0, 4), (0.5, 0.5, 0.2)), Solid("box", (0.5, 0, 4), (0.5, 0.5, 0.2)))
    clean = render(scene(pair)).clean.astype(int)
    assert np.abs(clean[64, 56] - clean[64, 72]).max() >= 2
    bevel = body(
        Solid("box", (0, 0, 4), (0.6, 0.6, 0.6), rotation=np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]))
    )
    clean = render(scene(bevel)).clean.astype(int)
    assert np.abs(clean[64, 50] - clean[64, 85]).max() >= 4


def test_shadow_falls_away_from_the_light():
    ground = Setting("field", (0.3, 0.3, 0.3))
    camera = Camera((0.0, 2.0, 0.0), 0.3, 0.6)
    ball = body(Solid("ellipsoid", (0, 0.5, 5), (0.4, 0.4, 0.4)))
    lit = replace(scene(ball, camera=camera, setting=ground), light=Light((-0.6, 0.8, 0.0), 0.4))
    with_ball, without = (render(replace(lit, bodies=these)).clean.astype(int) for these in ((ball,), ()))
    change = without - with_ball

    def drop(x):  # ground point beside the ball
        column, row, _ = project_points(np.array([(x, 0.0, 5.0)]), camera)[0]
        return change[int(row), int(column)].mean()

    assert drop(0.55) > 15 and abs(drop(-0.9)) < 3

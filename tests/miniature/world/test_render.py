"""The renderer's truth on hand-made scenes."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.intersect import Rays
from dataset_dm.miniature.world.placing import place
from dataset_dm.miniature.world.project import solid_bounds, view
from dataset_dm.miniature.world.render import NOISE, cast, render, resolve
from dataset_dm.miniature.world.styles import STYLES
from dataset_dm.miniature.world.surfaces import grid
from tests.miniature.world.scenes import body, mixed_scene, scene

RENDER = importlib.import_module("dataset_dm.miniature.world.render")  # the package has a function of that name


def test_area_and_depth_of_a_sphere():
    image = render(scene(body(Solid("ellipsoid", (0, 0, 5), (0.5, 0.5, 0.5)))))
    # the outline is a circle of 128 * r / sqrt(d^2 - r^2) = 12.86 pixels; two rays of four are enough for the nearer
    # surface, which moves the border by a quarter of a pixel: 519.9 + 80.8 / 4 = 540.1
    radius = 128 * 0.5 / np.sqrt(25 - 0.25)
    area = np.pi * radius**2 + 2 * np.pi * radius / 4
    assert (image.instance_map == 1).sum() == pytest.approx(area, rel=0.01)
    assert image.depth[63:65, 63:65] == pytest.approx(4.5, abs=1e-3)
    assert image.depth[0, 0] == 0.0
    assert set(np.unique(image.class_map)) == {0, 7}
    rows, columns = np.nonzero(image.instance_map)
    assert rows.mean() == pytest.approx(63.5) and columns.mean() == pytest.approx(63.5)


def test_a_box_occludes_another():
    near = body(Solid("box", (0, 0, 2), (0.25, 0.25, 0.25)), class_id=3)
    far = body(Solid("box", (0, 0, 4), (1.0, 1.0, 1.0)), class_id=9)
    image = render(scene(far, near))
    # near face: 64 +- 128 * 0.25 / 1.75 = 45.71..82.29; the border pixels 45 and 82 have two of four rays in (a tie,
    # the nearer wins), the four corners one: 38 * 38 - 4. Far face: 64 +- 128 / 3 = 21.33..106.67, two rays in 21, 106.
    assert (image.instance_map == 2).sum() == 38 * 38 - 4
    assert (image.instance_map == 1).sum() == 86 * 86 - 4 - (38 * 38 - 4)
    assert (image.class_map[image.instance_map == 2] == 3).all()
    assert (image.class_map[image.instance_map == 1] == 9).all()
    assert image.depth[image.instance_map == 2] == pytest.approx(1.75, abs=1e-4)
    assert image.depth[image.instance_map == 1] == pytest.approx(3.0, abs=1e-4)
    other = render(scene(near, far))  # the order of bodies only renames them
    assert (other.instance_map == np.array([0, 2, 1])[image.instance_map]).all()
    assert (other.depth == image.depth).all()


@pytest.mark.parametrize("kind", ["room", "street", "field", "water", "sky"])
def test_styles_change_the_image_and_keep_the_labels(kind):
    plain = mixed_scene(kind)
    day = render(plain)
    for style in STYLES[1:]:
        other = render(replace(plain, style=style))
        assert np.abs(other.clean.astype(int) - day.clean).mean() > 8
        for name in ("class_map", "instance_map", "depth"):
            assert (getattr(other, name) == getattr(day, name)).all()
    with pytest.raises(ValueError, match="style: got 'dusk', expected one of day, night, fog, palette"):
        render(replace(plain, style="dusk"))


def test_same_scene_same_bytes_and_noise_only_in_image():
    first, second = render(mixed_scene()), render(mixed_scene())
    for name in ("image", "clean", "class_map", "instance_map", "depth"):
        assert (getattr(first, name) == getattr(second, name)).all()
    inner = (first.clean > 20) & (first.clean < 235)
    noise = (first.image.astype(float) - first.clean)[inner]
    rounding = 2 / 12 - 1 / 12  # of the image alone: clean's own rounding error is part of both
    assert noise.std() == pytest.approx(np.hypot(NOISE * 255, np.sqrt(rounding)), rel=0.05)
    assert abs(noise.mean()) < 0.05


def test_culling_changes_nothing(monkeypatch):
    """The bounds are exact: without them the same rays meet the same solids, and they are not wide.

    Rounding is kept out: BLAS sums a product of matrices in an order that depends on their sizes and on the CPU, and a
    ray that grazes a round solid makes much of the last bit. So here the product is summed ray by ray.
    """
    monkeypatch.setattr(Rays, "quadratic", _quadratic_ray_by_ray)
    many = mixed_scene()
    eye = view(many.camera, (128, 128))
    rays, solids = grid(eye, 2), place(many.bodies)
    depth = np.full((256, 256), np.inf, np.float32)
    which = cast(solids, eye, rays, depth)
    with monkeypatch.context() as patch:
        patch.setattr(RENDER, "solid_bounds", _no_bounds)
        open_depth = np.full((256, 256), np.inf, np.float32)
        open_which = cast(solids, eye, rays, open_depth)
    assert (which == open_which).all() and (depth == open_depth).all() and len(np.unique(which)) > len(solids) / 2
    for k in range(len(solids)):
        alone = place([replace(many.bodies[solids.body[k]], figure=Figure((_solid(many, k),)))])
        x0, y0, x1, y1 = solid_bounds(alone, eye)[0] * 2
        with monkeypatch.context() as patch:
            patch.setattr(RENDER, "solid_bounds", _no_bounds)
            open_depth = np.full((256, 256), np.inf, np.float32)
            rows, columns = np.nonzero(cast(alone, eye, rays, open_depth) >= 0)
        assert (which[rows, columns] >= 0).all() and (depth[rows, columns] <= open_depth[rows, columns]).all()
        tight = (columns.min() + 0.5 - x0, rows.min() + 0.5 - y0, x1 - columns.max() - 0.5, y1 - rows.max() - 0.5)
        assert min(tight) > -0.01 and max(tight) < 3  # rays, that is 1.5 pixels


def test_rounding_of_a_part_stays_small(monkeypatch):
    """With the product that BLAS takes: nearly all rays to the last millimetre."""
    many = mixed_scene()
    eye = view(many.camera, (128, 128))
    rays, solids = grid(eye, 2), place(many.bodies)
    depth, open_depth = np.full((2, 256, 256), 100, np.float32)
    which = cast(solids, eye, rays, depth)
    monkeypatch.setattr(RENDER, "solid_bounds", _no_bounds)
    same = which == cast(solids, eye, rays, open_depth)
    assert same.mean() > 0.9999 and abs(depth - open_depth)[same].max() < 1e-3


def _no_bounds(solids, eye):
    return np.full((len(solids), 4), np.inf) * (-1, -1, 1, 1)


def _quadratic_ray_by_ray(rays, axes):
    chosen = range(3)[axes]
    directions = [rays.direction(axis) for axis in chosen]
    a = sum(one * one for one in directions)
    b = sum(one * rays.origin[axis] for one, axis in zip(directions, chosen, strict=True))
    return a, b, rays.origin[axes] @ rays.origin[axes]


def _solid(made, index):
    return [solid for one in made.bodies for solid in one.figure.solids][index]


def test_a_solid_around_the_camera_plane():
    floor = body(Solid("box", (0, -1, 0), (3, 0.1, 9)))
    image = render(scene(floor))
    assert image.instance_map[127, 64] == 1 and image.instance_map[0, 64] == 0
    assert image.depth[127, 64] == pytest.approx((0.9 * 128 / 63.25 + 0.9 * 128 / 63.75) / 2, rel=1e-4)
    behind = render(scene(body(Solid("box", (0, 0, -4), (1, 1, 1)))))
    assert not behind.instance_map.any()


def test_votes():
    inf = np.inf
    instance = np.array([[1, 1, 1, 2, 0, 0, 3, 0], [2, 0, 1, 2, 0, 0, 0, 0]], np.uint8)
    depth = np.array([[5, 7, 5, 4, inf, 30, 6, inf], [2, 9, 7, 2, inf, 50, inf, 40]], np.float32)
    winner, mean = resolve(instance, depth)
    # most rays; two and two: the nearest ray (2 at depth 2); ground and sky two each: ground; a body, sky 2, ground 1
    assert winner.tolist() == [[1, 2, 0, 0]]
    assert mean.tolist() == [[6, 3, 40, 0]]

"""The renderer's truth on hand-made scenes."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import SHAPES, Body, Camera, Figure, Light, Scene, Setting, Solid
from dataset_dm.miniature.world.intersect import Rays
from dataset_dm.miniature.world.placing import place
from dataset_dm.miniature.world.project import project_points, solid_bounds, view
from dataset_dm.miniature.world.render import NOISE, cast, render, resolve
from dataset_dm.miniature.world.shading import world_normals
from dataset_dm.miniature.world.styles import STYLES
from dataset_dm.miniature.world.surfaces import FAR, grid

RENDER = importlib.import_module("dataset_dm.miniature.world.render")  # the package has a function of that name
COLOURS = {"main": (0.6, 0.1, 0.1), "second": (0.1, 0.6, 0.1), "third": (0.1, 0.1, 0.6), "dark": (0.02, 0.02, 0.02)}
LIGHT = Light((0.0, 0.8, -0.6), 0.4)
SKY = Setting("sky", (0.3, 0.3, 0.3))
AHEAD = Camera((0.0, 0.0, 0.0), 0.0, 0.5)  # 128 pixels wide: a focal length of 128 pixels


def body(*solids, position=(0.0, 0.0, 0.0), yaw=0.0, scale=1.0, class_id=7, keypoints=None):
    return Body(class_id, Figure(solids, keypoints), position, yaw, scale, COLOURS)


def scene(*bodies, camera=AHEAD, setting=SKY, **rest):
    return Scene(camera, LIGHT, setting, bodies, **rest)


def mixed_scene(kind="room", seed=3):
    rng = np.random.default_rng(seed)
    bodies = []
    for index in range(4):
        solids = []
        for _ in range(6):
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            shape = SHAPES[rng.integers(len(SHAPES))]
            half = rng.uniform(0.08, 0.4, 3)
            half[2] = half[0]
            solids.append(Solid(shape, tuple(rng.uniform(-0.4, 0.4, 3) + (0, 0.6, 0)), tuple(half), "main", turn))
        place_at = (rng.uniform(-1, 1), 0.0, rng.uniform(3, 6))
        bodies.append(body(*solids, position=place_at, yaw=rng.uniform(0, 6), class_id=index + 1))
    camera = Camera((0.1, 1.3, 0.0), 0.12, 0.6)
    return scene(*bodies, camera=camera, setting=Setting(kind, (0.3, 0.25, 0.2), "tiles"), noise_seed=seed)


def test_area_and_depth_of_a_sphere():
    picture = render(scene(body(Solid("ellipsoid", (0, 0, 5), (0.5, 0.5, 0.5)))))
    # the outline is a circle of 128 * r / sqrt(d^2 - r^2) = 12.86 pixels; two rays of four are enough for the nearer
    # surface, which moves the border by a quarter of a pixel: 519.9 + 80.8 / 4 = 540.1
    radius = 128 * 0.5 / np.sqrt(25 - 0.25)
    area = np.pi * radius**2 + 2 * np.pi * radius / 4
    assert (picture.instance_map == 1).sum() == pytest.approx(area, rel=0.01)
    assert picture.depth[63:65, 63:65] == pytest.approx(4.5, abs=1e-3)
    assert picture.depth[0, 0] == 0.0
    assert set(np.unique(picture.class_map)) == {0, 7}
    rows, columns = np.nonzero(picture.instance_map)
    assert rows.mean() == pytest.approx(63.5) and columns.mean() == pytest.approx(63.5)


def test_a_box_occludes_another():
    near = body(Solid("box", (0, 0, 2), (0.25, 0.25, 0.25)), class_id=3)
    far = body(Solid("box", (0, 0, 4), (1.0, 1.0, 1.0)), class_id=9)
    picture = render(scene(far, near))
    # near face: 64 +- 128 * 0.25 / 1.75 = 45.71..82.29; the border pixels 45 and 82 have two of four rays in (a tie,
    # the nearer wins), the four corners one: 38 * 38 - 4. Far face: 64 +- 128 / 3 = 21.33..106.67, two rays in 21, 106.
    assert (picture.instance_map == 2).sum() == 38 * 38 - 4
    assert (picture.instance_map == 1).sum() == 86 * 86 - 4 - (38 * 38 - 4)
    assert (picture.class_map[picture.instance_map == 2] == 3).all()
    assert (picture.class_map[picture.instance_map == 1] == 9).all()
    assert picture.depth[picture.instance_map == 2] == pytest.approx(1.75, abs=1e-4)
    assert picture.depth[picture.instance_map == 1] == pytest.approx(3.0, abs=1e-4)
    other = render(scene(near, far))  # the order of bodies only renames them
    assert (other.instance_map == np.array([0, 2, 1])[picture.instance_map]).all()
    assert (other.depth == picture.depth).all()


def test_placing_a_body():
    ball = body(Solid("ellipsoid", (1, 0, 0), (0.1, 0.1, 0.1)), position=(0, 0, 5), yaw=np.pi / 2, scale=2.0)
    picture = render(scene(ball))  # yaw pi/2 turns +x towards the camera: the ball stands at z = 3, radius 0.2
    assert picture.depth[64, 64] == pytest.approx(2.8, abs=1e-3)
    low, high = 64 - 128 * 0.2 / np.sqrt(9 - 0.04), 64 + 128 * 0.2 / np.sqrt(9 - 0.04)
    assert solid_bounds(place([ball]), view(AHEAD, (128, 128)))[0] == pytest.approx([low, low, high, high])


def test_a_point_is_projected_where_it_is_drawn():
    camera = Camera((0.3, 1.5, -0.2), 0.2, 0.7)
    point = (0.5, 0.9, 4.0)
    x, y, depth = project_points(np.array([point]), camera, (96, 128))[0]
    picture = render(scene(body(Solid("ellipsoid", point, (0.2, 0.2, 0.2))), camera=camera), (96, 128))
    assert picture.image.shape == (96, 128, 3)
    rows, columns = np.nonzero(picture.instance_map)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.1)
    assert picture.depth[int(y), int(x)] == pytest.approx(depth - 0.2, abs=5e-3)
    # by hand: 1.5 m above, pitch 0.2: depth = 4.2 cos + 0.6 sin
    assert depth == pytest.approx(4.2 * np.cos(0.2) + 0.6 * np.sin(0.2))
    assert np.isnan(project_points(np.array([(0, 0, -3.0)]), camera)[0, :2]).all()


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


@pytest.mark.parametrize("kind", ["room", "street", "field", "water", "sky"])
def test_styles_change_the_picture_and_keep_the_truth(kind):
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
    picture = render(scene(floor))
    assert picture.instance_map[127, 64] == 1 and picture.instance_map[0, 64] == 0
    assert picture.depth[127, 64] == pytest.approx((0.9 * 128 / 63.25 + 0.9 * 128 / 63.75) / 2, rel=1e-4)
    behind = render(scene(body(Solid("box", (0, 0, -4), (1, 1, 1)))))
    assert not behind.instance_map.any()


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


def test_votes():
    inf = np.inf
    instance = np.array([[1, 1, 1, 2, 0, 0, 3, 0], [2, 0, 1, 2, 0, 0, 0, 0]], np.uint8)
    depth = np.array([[5, 7, 5, 4, inf, 30, 6, inf], [2, 9, 7, 2, inf, 50, inf, 40]], np.float32)
    winner, mean = resolve(instance, depth)
    # most rays; two and two: the nearest ray (2 at depth 2); ground and sky two each: ground; a body, sky 2, ground 1
    assert winner.tolist() == [[1, 2, 0, 0]]
    assert mean.tolist() == [[6, 3, 40, 0]]


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

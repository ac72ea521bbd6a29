"""Scenes are pure functions of (seed, index), filled within their limits, and colour does not reveal the class."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.miniature.world.outline import figure_points, footprint, rectangles_meet, turned
from dataset_dm.miniature.world.places import COMPANY
from dataset_dm.miniature.world.scene import compose, draw_classes, sample
from tests.benchmarks.world import touching

SCENES = 80


@pytest.fixture(scope="module")
def samples() -> list[tuple[Scene, Rendering]]:
    return [sample(1, index, size=(64, 64)) for index in range(SCENES)]


def plan(scene: Scene, row: int) -> np.ndarray:
    body = scene.bodies[row]
    corners = footprint(figure_points(body.figure))
    flat = np.stack([corners[:, 0], np.zeros(4), corners[:, 1]], axis=1)
    return (turned(flat, body.yaw) * body.scale + np.asarray(body.position))[:, [0, 2]]


def test_same_seed_and_index_same_scene_and_bytes() -> None:
    (first, one), (second, two) = sample(3, 17, size=(64, 64)), sample(3, 17, size=(64, 64))
    assert first.captions == second.captions and first.camera == second.camera and first.setting == second.setting
    assert one.image.tobytes() == two.image.tobytes() and one.depth.tobytes() == two.depth.tobytes()


def test_other_index_or_seed_other_scene() -> None:
    cameras = {compose(seed, index).camera for seed, index in ((0, 1), (1, 0), (0, 2), (2, 0))}
    assert len(cameras) == 4


def test_style_keeps_the_geometry() -> None:
    day, fog = compose(0, 9), compose(0, 9, "fog")
    assert (fog.style, fog.camera) == ("fog", day.camera)
    assert [body.position for body in fog.bodies] == [body.position for body in day.bodies]


def test_the_ground_enters_every_image_two_metres_away() -> None:
    for index in range(12):
        scene, rendering = sample(2, index, size=(64, 64))
        below = rendering.depth[-1][rendering.class_map[-1] == 0]
        if scene.setting.kind != "sky" and below.size:
            # the lowest row's middle is half a pixel above the edge
            assert below.min() == pytest.approx(2.0, rel=0.03), index


def test_in_the_sky_the_first_object_is_a_metre_and_a_half_through_the_usual_lens() -> None:
    scene = next(scene for scene in (compose(2, index) for index in range(200)) if scene.setting.kind == "sky")
    assert scene.metre * scene.bodies[0].scale == pytest.approx(1.5 * scene.camera.half_width / 0.35)


def test_asked_classes_are_shown() -> None:
    scene = compose(0, 0, classes=[15, 15, 7])
    assert [body.class_id for body in scene.bodies] == [15, 15, 7]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"seed": -1}, "seed: got -1"),
        ({"index": 1.5}, "index: got 1.5"),
        ({"style": "rain"}, "style: got 'rain', expected one of day, night"),
        ({"classes": []}, "expected 1..5 ids"),
        ({"classes": [21]}, "each 1..20"),
    ],
)
def test_bad_arguments(arguments: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        compose(**{"seed": 0, "index": 0, **arguments})


def test_fill_and_visible_shares(samples: list[tuple[Scene, Rendering]]) -> None:
    for scene, rendering in samples:
        assert 0.03 <= (rendering.instance_map > 0).mean() <= 0.5
        for row, body in enumerate(scene.bodies):
            mask = rendering.instance_map == row + 1
            assert mask.mean() >= 0.012
            assert (rendering.class_map[mask] == body.class_id).all()


def test_overlap_is_common_and_bodies_do_not_meet(samples: list[tuple[Scene, Rendering]]) -> None:
    assert np.mean([touching(rendering.instance_map) for _, rendering in samples]) >= 0.4
    for scene, _ in samples:
        plans = [plan(scene, row) for row in range(len(scene.bodies))]
        pairs = [(a, b) for a in range(len(plans)) for b in range(a)]
        assert not any(rectangles_meet(plans[a] * (1 - 1e-9), plans[b]) for a, b in pairs)


def test_rooms_hold_camera_and_bodies(samples: list[tuple[Scene, Rendering]]) -> None:
    rooms = [scene for scene, _ in samples if scene.setting.kind == "room"]
    assert rooms
    for scene in rooms:
        half_width, height, back = scene.setting.room
        assert scene.camera.position[1] < height
        for body in scene.bodies:
            points = turned(figure_points(body.figure), body.yaw) * body.scale + np.asarray(body.position)
            low, high = points.reshape(-1, 3).min(0), points.reshape(-1, 3).max(0)
            assert -half_width < low[0] and high[0] < half_width and high[1] < height and high[2] < back


def test_classes_are_uniform() -> None:
    rng = np.random.default_rng(0)
    ids = np.concatenate([draw_classes(rng) for _ in range(20_000)])
    shares = np.bincount(ids, minlength=21)[1:] / len(ids)
    assert np.abs(shares - 0.05).max() < 0.004  # about five standard errors
    assert sorted(name for group in COMPANY for name in group) == sorted(VOC_CLASSES)

"""Scenes are pure functions of (seed, index), filled as promised, and colour does not give the class away."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.miniature.world.outline import coverage, figure_points, footprint, rectangles_meet, turned
from dataset_dm.miniature.world.places import COMPANY, PLACES, draw_kind
from dataset_dm.miniature.world.scene import compose, draw_classes, sample
from dataset_dm.miniature.world.splits import SPLITS, index_of, labelled
from tests.benchmarks.world import PixelClassifier, mean_iou, touching

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


def test_the_ground_enters_every_picture_two_metres_away() -> None:
    for index in range(12):
        scene, rendering = sample(2, index, size=(64, 64))
        below = rendering.depth[-1][rendering.class_map[-1] == 0]
        if scene.setting.kind != "sky" and below.size:
            # the lowest row's middle is half a pixel above the edge
            assert below.min() == pytest.approx(2.0, rel=0.03), index


def test_in_the_sky_the_first_thing_is_a_metre_and_a_half_through_the_usual_lens() -> None:
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


def test_any_mix_of_classes_has_a_place() -> None:
    assert set(PLACES) == set(VOC_CLASSES)
    assert draw_kind(VOC_CLASSES, np.random.default_rng(0)) in ("street", "field")
    assert draw_kind(["sofa", "boat", "aeroplane"], np.random.default_rng(1)) in ("street", "field")


def test_colour_says_little_about_class() -> None:
    renderings = [sample(2, index, size=(32, 32))[1] for index in range(220)]
    classifier = PixelClassifier(8, 1)
    for rendering in renderings[:160]:
        classifier.fit(rendering)
    assert mean_iou(classifier.confusion(renderings[160:])) < 12.0


def test_mean_iou_by_hand() -> None:
    # class 0: 2 hits of union 4; class 1: 1 hit of union 3
    assert mean_iou(np.array([[2, 1], [1, 1]])) == pytest.approx(100 * (2 / 4 + 1 / 3) / 2)


def test_coverage_of_a_square_by_hand() -> None:
    square = np.array([[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]])
    assert coverage(square).mean() == pytest.approx(0.25)


def test_rectangles_meet_by_hand() -> None:
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    diamond = np.array([(0.0, -0.7), (0.7, 0.0), (0.0, 0.7), (-0.7, 0.0)])
    assert rectangles_meet(square, square + 0.9)
    assert not rectangles_meet(square, square + np.array([1.1, 0.0]))
    assert not rectangles_meet(square, diamond + np.array([1.4, 1.4]))  # their bounds overlap, they do not


def test_splits_never_meet() -> None:
    ranges = sorted(SPLITS.values(), key=lambda one: one.start)
    assert all(first.stop <= second.start for first, second in zip(ranges, ranges[1:], strict=False))
    assert index_of("train", 0) == SPLITS["train"].start
    scene, rendering = labelled("test", 2, size=(32, 32))
    assert scene.camera == compose(0, index_of("test", 2)).camera and rendering.image.shape == (32, 32, 3)


@pytest.mark.parametrize(("split", "i"), [("dev", 0), ("train", -1), ("train", 10**8)])
def test_bad_split_or_index(split: str, i: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        index_of(split, i)

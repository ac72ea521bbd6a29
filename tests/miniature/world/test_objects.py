"""The object builders: size, stance, slots, determinism, and a person's anatomy."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import SHAPES, SLOTS, Body, Camera, Figure, Solid
from dataset_dm.miniature.world.objects import build
from dataset_dm.miniature.world.objects.parts import along, both, bounds, normalise, spike, tube, turn
from dataset_dm.miniature.world.objects.person import POSES
from dataset_dm.miniature.world.project import project_points

SEEDS = range(50)
CLASS_IDS = range(1, 21)
PERSON = VOC_CLASSES.index("person") + 1
AT = {name: index for index, name in enumerate(KEYPOINTS)}


def figures(class_id: int) -> list[Figure]:
    return [build(class_id, np.random.default_rng(seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def people() -> list[Figure]:
    return [build(PERSON, np.random.default_rng(seed)) for seed in range(120)]


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


def test_class_order_is_voc() -> None:
    assert len(VOC_CLASSES) == 20
    assert list(VOC_CLASSES) == sorted(VOC_CLASSES)  # VOC's order is alphabetical
    assert (VOC_CLASSES[0], VOC_CLASSES[6], VOC_CLASSES[14], VOC_CLASSES[19]) == (
        "aeroplane",
        "car",
        "person",
        "tvmonitor",
    )


@pytest.mark.parametrize("class_id", [0, 21, -1, 255])
def test_unknown_class_is_one_clear_line(class_id: int) -> None:
    with pytest.raises(ValueError, match=rf"got {class_id}, expected 1\.\.20"):
        build(class_id, np.random.default_rng(0))


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
    assert figure.keypoints == pytest.approx(np.array([[0.0, 0.5, 0.0]]))


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


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_every_figure_stands_centred_at_unit_size(class_id: int) -> None:
    for figure in figures(class_id):
        low, high = bounds(figure.solids)
        assert low[1] == pytest.approx(0.0, abs=1e-9)
        assert low[[0, 2]] + high[[0, 2]] == pytest.approx([0.0, 0.0], abs=1e-9)
        extent = high - low
        assert max(extent[0], extent[2]) * extent[1] == pytest.approx(1.0)
        assert 0.22 < extent.min() and extent.max() < 2.2  # no needle, no sheet: extents stay comparable


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_solids_are_legal(class_id: int) -> None:
    for figure in figures(class_id):
        assert 6 <= len(figure.solids) <= 44
        for solid in figure.solids:
            assert solid.shape in SHAPES and solid.slot in SLOTS
            assert min(solid.half) > 0 and np.isfinite(solid.center).all()
            if solid.shape == "capsule":
                assert solid.half[0] == solid.half[2] and solid.half[1] >= solid.half[0]
            if solid.rotation is not None:
                assert solid.rotation @ solid.rotation.T == pytest.approx(np.eye(3), abs=1e-9)
                assert np.linalg.det(solid.rotation) == pytest.approx(1.0)
        assert {"main", "second"} <= {solid.slot for solid in figure.solids}
        assert (figure.keypoints is not None) == (class_id == PERSON)


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_the_generator_decides_everything(class_id: int) -> None:
    def numbers(seed: int) -> np.ndarray:
        figure = build(class_id, np.random.default_rng(seed))
        return np.concatenate([np.array([*s.center, *s.half]) for s in figure.solids])

    assert np.array_equal(numbers(3), numbers(3))
    assert not np.array_equal(numbers(3), numbers(4))


def test_people_take_every_pose(people: list[Figure]) -> None:
    assert {figure.pose for figure in people} == set(POSES)
    assert all(figure.keypoints.shape == (17, 3) for figure in people)
    assert build(1, np.random.default_rng(0)).pose == ""


def test_left_is_left(people: list[Figure]) -> None:
    """The person faces +x; the own left is +z: turned to the camera, it is on the image's right."""
    for figure in people:
        for part in ("eye", "ear", "shoulder", "elbow", "hip", "knee", "ankle"):
            assert figure.keypoints[AT[f"left_{part}"], 2] > figure.keypoints[AT[f"right_{part}"], 2]
        assert figure.keypoints[AT["nose"], 0] > figure.keypoints[[AT["left_ear"], AT["right_ear"]], 0].max()
    body = Body(PERSON, people[0], (0.0, 0.0, 4.0), np.pi / 2, 1.0, {})
    cos, sin = np.cos(body.yaw), np.sin(body.yaw)
    to_world = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    world = people[0].keypoints @ to_world.T + np.array(body.position)
    assert world[AT["nose"], 2] < world[AT["left_ear"], 2]  # the face looks at the camera
    x = project_points(world, Camera((0.0, 1.0, 0.0), 0.0, 0.5))[:, 0]
    assert x[AT["left_shoulder"]] > 64 > x[AT["right_shoulder"]]


def test_poses_keep_their_promise(people: list[Figure]) -> None:
    for figure in people:
        up = dict(zip(KEYPOINTS, figure.keypoints[:, 1], strict=True))
        ahead = dict(zip(KEYPOINTS, figure.keypoints[:, 0], strict=True))
        for side in ("left", "right"):
            ankle, knee, hip, shoulder = (up[f"{side}_{n}"] for n in ("ankle", "knee", "hip", "shoulder"))
            assert ankle < knee < shoulder and hip < shoulder < up[f"{side}_ear"]
            if figure.pose == "sitting":
                assert ahead[f"{side}_knee"] - ahead[f"{side}_hip"] > 0.2 and abs(hip - knee) < 0.12
            else:
                assert hip - knee > 0.2
            if figure.pose == "arms raised":
                skull = figure.solids[0]  # a person's first solid
                assert up[f"{side}_wrist"] > skull.center[1] + skull.half[1]
            else:
                assert up[f"{side}_wrist"] < shoulder
        stride = abs(ahead["left_ankle"] - ahead["right_ankle"])
        assert (stride > 0.25) == (figure.pose == "walking")


def test_keypoints_lie_in_or_on_the_body(people: list[Figure]) -> None:
    """Every joint is inside a solid, every point of the face within 3 cm of one."""
    for figure in people[:30]:
        for name, point in zip(KEYPOINTS, figure.keypoints, strict=True):
            reach = min(_outside(solid, point) for solid in figure.solids)
            assert reach < 0.03, (figure.pose, name, reach)


def _outside(solid: Solid, point: np.ndarray) -> float:
    """Rough distance (m) of a point from a round solid: (relative radius - 1) times the smallest half axis."""
    own = point - np.asarray(solid.center)
    own = own if solid.rotation is None else own @ solid.rotation
    if solid.shape == "capsule":
        own = own - np.array([0, np.clip(own[1], solid.half[0] - solid.half[1], solid.half[1] - solid.half[0]), 0])
        return float(np.linalg.norm(own) - solid.half[0])
    if solid.shape == "cone":
        return np.inf
    return float((np.linalg.norm(own / np.asarray(solid.half)) - 1) * min(solid.half))

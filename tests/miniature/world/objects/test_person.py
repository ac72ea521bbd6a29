"""A person's anatomy."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import Body, Camera, Figure, Solid
from dataset_dm.miniature.world.objects import build
from dataset_dm.miniature.world.objects.person import POSES
from dataset_dm.miniature.world.project import project_points

PERSON = VOC_CLASSES.index("person") + 1


AT = {name: index for index, name in enumerate(KEYPOINTS)}


@pytest.fixture(scope="module")
def people() -> list[Figure]:
    return [build(PERSON, np.random.default_rng(seed)) for seed in range(120)]


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


def test_poses_are_as_declared(people: list[Figure]) -> None:
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

"""Skeletons by hand: sides, seen and hidden joints, limbs."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.labels.coco import KEYPOINTS, LIMBS, side
from dataset_dm.visualization.skeleton import LEFT, MIDDLE, RIGHT, draw_skeletons


def test_sides_are_the_names_of_the_joints() -> None:
    assert [side(i) for i in range(17)] == [
        "left" if "left" in name else "right" if "right" in name else "middle" for name in KEYPOINTS
    ]
    assert len(LIMBS) == 19 and {joint for limb in LIMBS for joint in limb} == set(range(17))
    across = [limb for limb in LIMBS if {side(limb[0]), side(limb[1])} == {"left", "right"}]
    assert sorted(tuple(sorted(limb)) for limb in across) == [(1, 2), (5, 6), (11, 12)]  # eyes, shoulders, hips


@pytest.mark.parametrize(("joint", "colour"), [(9, LEFT), (10, RIGHT), (0, MIDDLE)])
def test_seen_joints_are_filled_and_hidden_ones_hollow(joint: int, colour: tuple[int, int, int]) -> None:
    ground = Image.new("RGB", (100, 100), (90, 90, 90))
    points = np.zeros((2, 17, 3))
    points[0, joint] = (12.5, 12.5, 2)
    points[1, joint] = (37.5, 12.5, 1)
    drawn = draw_skeletons(ground, points, 2)
    assert drawn.getpixel((25, 25)) == colour and drawn.getpixel((75, 25)) == MIDDLE
    pixels = np.asarray(drawn)
    assert (pixels[60:] == 90).all() and (pixels[:, 45:55] == 90).all()  # no limb without both of its joints
    assert np.array_equal(np.asarray(draw_skeletons(ground, np.zeros((1, 17, 3)), 2)), np.asarray(ground))
    assert np.array_equal(np.asarray(draw_skeletons(ground, np.zeros((0, 17, 3)), 2)), np.asarray(ground))


def test_limbs_join_their_joints() -> None:
    points = np.zeros((1, 17, 3))
    points[0, 7], points[0, 9] = (10.5, 50, 2), (90.5, 50, 2)  # left elbow, left wrist
    drawn = draw_skeletons(Image.new("RGB", (100, 100)), points, 1)
    assert drawn.getpixel((50, 50)) == LEFT

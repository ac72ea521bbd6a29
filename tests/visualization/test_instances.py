"""Tints, numbers, tags and skeletons, by hand."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.labels.coco import KEYPOINTS, LIMBS, side
from dataset_dm.visualization.instances import tints
from dataset_dm.visualization.oklab import to_oklab
from dataset_dm.visualization.overlay import display_colours
from dataset_dm.visualization.skeleton import LEFT, MIDDLE, RIGHT, draw_skeletons
from dataset_dm.visualization.tags import draw_tags, place


def test_objects_of_a_class_are_told_apart_and_stay_in_its_family() -> None:
    colours = tints([7, 7, 15, 7, 7])
    assert len({tuple(c) for c in colours.tolist()}) == 5
    assert (colours[0] == display_colours()[7]).all() and (colours[2] == display_colours()[15]).all()
    for class_id in range(1, 21):
        family = to_oklab(tints([class_id] * 3))
        apart = np.linalg.norm(family[:, None] - family[None], axis=-1)[np.triu_indices(3, 1)]
        assert apart.min() > 0.04 and np.linalg.norm(family[:, 1:] - family[0, 1:], axis=1).max() < 0.13
    assert tints([]).shape == (0, 3)


def test_a_lone_tag_stands_on_its_box() -> None:
    assert place([(20, 40, 60, 80)], [(30, 10)], (100, 100)) == [(20, 30, 50, 40)]


def test_tags_stay_in_the_image_and_apart() -> None:
    boxes = [(0, 0, 100, 100), (0, 0, 50, 50), (2, 2, 52, 48), (60, 0, 99, 40), (50, 50, 99, 99)]
    tags = place(boxes, [(28, 12)] * 5, (100, 100))
    for i, (left, top, right, bottom) in enumerate(tags):
        assert 0 <= left < right < 100 and 0 <= top < bottom < 100
        for other in tags[:i]:
            width, height = min(right, other[2]) - max(left, other[0]), min(bottom, other[3]) - max(top, other[1])
            assert width <= 0 or height <= 0 or width * height <= 0.1 * 28 * 12


def test_a_tag_that_would_bury_instances_is_left_out() -> None:
    same = [(40.0, 40.0, 52.0, 50.0)] * 12  # twelve instances on one spot cannot all be named
    tags = place(same, [(30, 12)] * 12, (100, 100))
    shown = [tag for tag in tags if tag[2] > tag[0]]
    assert 0 < len(shown) < 12


def test_tags_are_written_in_the_instances_colours() -> None:
    image = Image.new("RGB", (120, 120), "white")
    draw_tags(image, [(20, 40, 80, 100)], ["chair"], np.array([0.87]), np.array([[0, 90, 200]], np.uint8))
    pixels = np.asarray(image)
    blue = (pixels == (0, 90, 200)).all(axis=-1)
    assert blue[23:40].any() and not blue[41:].any()
    assert not np.array_equal(pixels, np.asarray(Image.new("RGB", (120, 120), "white")))


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

"""Name tags stay in the image, apart from each other, and are left out where they would hide objects."""

import numpy as np
from PIL import Image

from dataset_dm.visualization.tags import draw_tags, place


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

"""Panels of a sample."""

import numpy as np
import pytest

from dataset_dm.explore.view import Explorer
from dataset_dm.visualization.overlay import display_colours
from tests.explore.sets import GREY, HEIGHT, WIDTH, drawn


def test_panels_stand_over_the_image_where_the_label_is(explorer: Explorer) -> None:
    found = drawn(explorer, 0, ("image", "classes", "objects"))
    assert list(found) == ["image", "classes", "objects"]
    assert all(image.shape == (4 * HEIGHT, 4 * WIDTH, 3) for image in found.values())
    assert (found["image"] == GREY).all()
    cat = display_colours()[1].astype(float)
    inside = (4 * 5, 4 * 8)  # the cat spans rows 2..7 and columns 4..11
    assert found["classes"][inside] == pytest.approx(0.74 * cat + 0.26 * GREY, abs=1)
    assert found["objects"][inside] == pytest.approx(0.66 * cat + 0.34 * GREY, abs=1)
    outside = 0.72 * 246 + 0.28 * GREY
    assert found["classes"][4 * 1, 4 * 1] == pytest.approx([outside] * 3, abs=1)


def test_lines_lie_on_labels_and_on_an_image_alone(explorer: Explorer) -> None:
    plain = drawn(explorer, 3, ("image",))["image"]
    boxed = drawn(explorer, 3, ("image",), ("boxes",))["image"]
    assert (plain == GREY).all()
    changed = np.argwhere((boxed != plain).any(axis=-1))
    assert changed[:, 1].min() == 4 * 4 - 2 and changed[:, 0].max() == 4 * HEIGHT - 1  # just outside of columns 4..7
    both = drawn(explorer, 3, ("image", "classes"), ("boxes", "skeletons"))
    assert (both["image"] == GREY).all()
    bare = drawn(explorer, 3, ("classes",))["classes"]
    shoulder = (4 * 3 + 2, 4 * 6)  # between the shoulders, at row 3.5
    assert (both["classes"][shoulder] != bare[shoulder]).any()


def test_masks_wear_no_box_unless_asked(explorer: Explorer) -> None:
    edge = (4 * 4, 4 * 4 - 2)  # left of the cat's mask, where its box would be
    assert (drawn(explorer, 0, ("objects",))["objects"][edge] > 150).all()
    assert (drawn(explorer, 0, ("objects",), ("boxes",))["objects"][edge] != 205).any()

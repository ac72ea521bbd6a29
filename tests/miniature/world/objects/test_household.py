"""Bottle, potted plant, monitor: upright, on one foot or stand."""

import pytest

from dataset_dm.miniature.world.objects.household import bottle, pottedplant, tvmonitor
from tests.miniature.world.objects.figures import Builder, check_form, figures_of, top

FORMS = [  # builder, length over height, width over height, solids on the ground
    (bottle, (0.25, 0.65), (0.25, 0.65), (1, 1)),
    (pottedplant, (0.45, 1.5), (0.5, 1.4), (1, 1)),
    (tvmonitor, (0.35, 0.55), (0.8, 1.5), (2, 2)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_the_screen_of_a_monitor_faces_x() -> None:
    assert all(top(figure) > 0 for figure in figures_of(tvmonitor))

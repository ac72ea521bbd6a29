"""Furniture: on its legs, open towards +x."""

import pytest

from dataset_dm.miniature.world.objects.furniture import chair, diningtable, sofa
from tests.miniature.world.objects.figures import Builder, check_form, figures_of, top

FORMS = [  # builder, length over height, width over height, solids on the ground
    (chair, (0.45, 0.8), (0.4, 0.7), (4, 4)),
    (diningtable, (0.8, 2.2), (1.1, 2.7), (2, 4)),
    (sofa, (0.85, 1.2), (1.9, 2.9), (4, 4)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_the_back_of_a_seat_is_behind() -> None:
    assert all(top(figure) < -0.05 for builder in (chair, sofa) for figure in figures_of(builder))
    assert all(abs(top(figure)) < 0.01 for figure in figures_of(diningtable))

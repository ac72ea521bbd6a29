"""Animals: four legs and a head in front; birds on two."""

import pytest

from dataset_dm.miniature.world.objects.animals import bird, cow, horse, sheep
from tests.miniature.world.objects.figures import Builder, check_form, figures_of, top

FORMS = [  # builder, length over height, width over height, solids on the ground
    (bird, (0.9, 1.6), (0.4, 2.1), (4, 4)),
    (cow, (1.3, 2.1), (0.45, 0.7), (4, 8)),
    (horse, (1.1, 1.7), (0.25, 0.4), (8, 8)),
    (sheep, (1.4, 1.9), (0.65, 0.9), (8, 8)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_the_head_is_in_front() -> None:
    assert all(top(figure) > 0 for builder in (bird, cow, horse, sheep) for figure in figures_of(builder))

"""Vehicles: longer than high, on their wheels."""

import pytest

from dataset_dm.miniature.world.objects.vehicles import aeroplane, boat, bus, car, train
from tests.miniature.world.objects.figures import Builder, check_form, figures_of, top

FORMS = [  # builder, length over height, width over height, solids on the ground
    (aeroplane, (1.6, 2.2), (1.5, 2.1), (3, 6)),
    (boat, (1.0, 1.9), (0.35, 0.75), (1, 1)),
    (bus, (1.4, 2.7), (0.5, 0.9), (4, 4)),
    (car, (2.0, 2.8), (1.0, 1.4), (4, 4)),
    (train, (1.4, 2.4), (0.4, 0.8), (8, 12)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_an_aeroplane_s_tail_is_behind_and_a_car_has_four_dark_wheels() -> None:
    assert all(top(figure) < -0.4 for figure in figures_of(aeroplane))
    for figure in figures_of(car):
        wheels = [solid for solid in figure.solids if solid.slot == "dark"]
        assert len(wheels) == 4 and {round(solid.center[1], 3) for solid in wheels} == {round(wheels[0].center[1], 3)}

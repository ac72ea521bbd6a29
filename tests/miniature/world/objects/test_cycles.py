"""Cycles: two wheels in one plane, one behind the other."""

import pytest

from dataset_dm.miniature.world.objects.cycles import bicycle, motorbike
from tests.miniature.world.objects.figures import Builder, check_form, figures_of

FORMS = [  # builder, length over height, width over height, solids on the ground
    (bicycle, (1.5, 2.1), (0.5, 0.75), (6, 6)),
    (motorbike, (1.5, 1.9), (0.6, 0.8), (2, 2)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_a_bicycle_s_rims_can_be_seen_through() -> None:
    """Each wheel is a ring of tubes about an axle: nothing lies halfway between axle and rim but spokes of no width."""
    for figure in figures_of(bicycle):
        tubes = [solid for solid in figure.solids if solid.shape == "capsule" and abs(solid.center[2]) < 1e-6]
        assert len(tubes) >= 20 and {solid.center[0] > 0 for solid in tubes} == {True, False}

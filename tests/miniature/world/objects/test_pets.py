"""Cat and dog: a dog is longer, both stand on four paws or sit."""

import pytest

from dataset_dm.miniature.world.objects.pets import cat, dog
from tests.miniature.world.objects.figures import Builder, check_form, figures_of, top

FORMS = [  # builder, length over height, width over height, solids on the ground
    (cat, (0.55, 1.5), (0.3, 0.8), (8, 12)),
    (dog, (1.3, 2.9), (0.33, 0.85), (8, 9)),
]


@pytest.mark.parametrize("builder, length, width, ground", FORMS, ids=[builder.__name__ for builder, *_ in FORMS])
def test_form(builder: Builder, length: tuple, width: tuple, ground: tuple) -> None:
    check_form(builder, length, width, ground)


def test_a_dog_s_head_is_in_front_and_both_have_dark_eyes_and_nose() -> None:
    assert all(top(figure) > 0 for figure in figures_of(dog))
    for builder in (cat, dog):
        assert all(sum(solid.slot == "dark" for solid in figure.solids) == 3 for figure in figures_of(builder))

"""Colours: the sRGB curve by hand, and the same distribution for every class."""

import numpy as np
import pytest

from dataset_dm.miniature.world.geometry import SLOTS
from dataset_dm.miniature.world.palette import NAMES, PASTEL, as_tuple, body_colours, greyed, linear, wide


def test_the_srgb_curve_by_hand() -> None:
    assert linear((0.0, 1.0, 0.04045)) == pytest.approx([0.0, 1.0, 0.04045 / 12.92])
    assert linear((0.5, 0.5, 0.5))[0] == pytest.approx(0.21404, abs=1e-5)


def test_grey_without_saturation_has_the_wanted_brightness() -> None:
    colour = greyed((0.9, 0.1, 0.2), np.random.default_rng(0), (0.0, 0.0), (0.5, 0.5))
    assert colour == pytest.approx([0.21404] * 3, abs=1e-5)


def test_any_colour_stays_in_the_range_of_light() -> None:
    rng = np.random.default_rng(1)
    colours = np.stack([wide(rng, (0.0, 1.0), (0.1, 0.9)) for _ in range(200)])
    assert colours.min() >= 0 and colours.max() <= 1 and colours.std() > 0.1
    assert as_tuple(np.array([-1.0, 0.5, 2.0])) == (0.0, 0.5, 1.0)


def test_every_slot_has_a_colour_and_names_are_equally_likely() -> None:
    rng = np.random.default_rng(2)
    drawn = [body_colours(rng) for _ in range(2200)]
    assert all(set(colours) == set(SLOTS) for _, colours in drawn)
    shares = np.array([sum(name == one for one, _ in drawn) for name in NAMES]) / len(drawn)
    assert np.abs(shares - 1 / len(NAMES)).max() < 0.03


def test_the_style_palette_washes_out_and_keeps_the_names() -> None:
    day, pastel = body_colours(np.random.default_rng(3)), body_colours(np.random.default_rng(3), "palette")
    assert day[0] == pastel[0] and day[1]["main"] != pastel[1]["main"] and set(PASTEL) == set(NAMES)

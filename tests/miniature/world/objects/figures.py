"""What a figure's solids say about its form: extents, feet, and how far it is from its mirror image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dataset_dm.miniature.world.geometry import Figure
from dataset_dm.miniature.world.objects.parts import bounds, normalise

Builder = Callable[[np.random.Generator], Figure]
SEEDS = range(40)


def figures_of(builder: Builder) -> list[Figure]:
    """Forty normalised figures of one builder."""
    return [normalise(builder(np.random.default_rng(seed))) for seed in SEEDS]


def proportions(figure: Figure) -> tuple[float, float]:
    """(length along x, width along z) over height."""
    low, high = bounds(figure.solids)
    length, height, width = high - low
    return float(length / height), float(width / height)


def feet(figure: Figure) -> int:
    """Solids that touch the ground."""
    return sum(bounds([solid])[0][1] < 0.02 for solid in figure.solids)


def top(figure: Figure) -> float:
    """Mean x of the solids in the upper two fifths: positive where the figure's head is, for it faces +x."""
    height = bounds(figure.solids)[1][1]
    return float(np.mean([solid.center[0] for solid in figure.solids if solid.center[1] > 0.6 * height]))


def within(values: list[float], least: float, most: float) -> bool:
    """Whether all values lie in least..most."""
    return least <= min(values) and max(values) <= most


def check_form(builder: Builder, length: tuple[float, float], width: tuple[float, float], ground: tuple) -> None:
    """Assert that forty figures keep their proportions and stand on the expected number of solids."""
    figures = figures_of(builder)
    lengths, widths = zip(*(proportions(figure) for figure in figures), strict=True)
    assert within(lengths, *length) and within(widths, *width)
    assert within([feet(figure) for figure in figures], *ground)

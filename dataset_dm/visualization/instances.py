"""Colours of the instances of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, UInt8

from dataset_dm.visualization.oklab import to_oklab, to_rgb
from dataset_dm.visualization.overlay import display_colours

# Lightness, chroma and hue (degrees) of the 1st, 2nd, 3rd… instance of a class, against the class's own colour.
TINTS = ((0, 1, 0), (0.13, 0.85, 22), (-0.15, 1.05, -18), (0.06, 1.15, -34), (-0.07, 0.8, 38), (0.19, 0.7, -8))


def tints(classes: Sequence[int] | Int[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3"]:
    """A colour for each instance of these classes: the class's own, varied in hue and lightness.

    Example:
        >>> (tints([7, 7, 7])[0] == display_colours()[7]).all()
        True
    """
    seen: dict[int, int] = {}
    colours = []
    for i in (int(c) for c in classes):
        order = seen.get(i, 0)
        seen[i] = order + 1
        base = display_colours()[i % 256]
        colours.append(_tint(base, TINTS[order % len(TINTS)]) if order % len(TINTS) else base)
    return np.array(colours, dtype=np.uint8).reshape(-1, 3)


def _tint(colour: np.ndarray, step: tuple[float, float, float]) -> np.ndarray:
    lightness, a, b = to_oklab(colour)
    turn = np.deg2rad(step[2])
    a, b = step[1] * (a * np.cos(turn) - b * np.sin(turn)), step[1] * (a * np.sin(turn) + b * np.cos(turn))
    # a class colour near black or white still leaves room for its tints
    return to_rgb(np.array([np.clip(lightness + step[0], 0.35, 0.93), a, b]))

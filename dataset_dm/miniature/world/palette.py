"""The colours of the miniature world: one palette of named colours for every class and slot, so that colour says
nothing about class; and the broad colours of grounds, walls and skies, which overlap with it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import SLOTS

Colour = tuple[float, float, float]

# sRGB, the middle of each named colour.
PALETTE: dict[str, Colour] = {
    "red": (0.84, 0.14, 0.12),
    "green": (0.17, 0.62, 0.20),
    "blue": (0.14, 0.30, 0.82),
    "yellow": (0.95, 0.83, 0.16),
    "white": (0.94, 0.94, 0.92),
    "black": (0.12, 0.12, 0.13),
    "brown": (0.46, 0.28, 0.15),
    "orange": (0.96, 0.52, 0.10),
    "purple": (0.52, 0.22, 0.66),
    "pink": (0.96, 0.56, 0.72),
    "grey": (0.54, 0.54, 0.55),
}

# The colours of style "palette": same names, washed-out shades, for domain-shift tests.
PASTEL: dict[str, Colour] = {
    "red": (0.74, 0.38, 0.38),
    "green": (0.50, 0.70, 0.52),
    "blue": (0.42, 0.56, 0.78),
    "yellow": (0.88, 0.84, 0.56),
    "white": (0.86, 0.88, 0.90),
    "black": (0.24, 0.22, 0.28),
    "brown": (0.58, 0.48, 0.42),
    "orange": (0.86, 0.64, 0.46),
    "purple": (0.60, 0.46, 0.70),
    "pink": (0.86, 0.68, 0.76),
    "grey": (0.62, 0.63, 0.66),
}
NAMES = tuple(PALETTE)


def linear(colour: Float[np.ndarray, "*shape"] | Colour) -> Float[np.ndarray, "*shape"]:
    """sRGB values in [0, 1] -> linear light in [0, 1], same shape (IEC 61966-2-1)."""
    colour = np.asarray(colour, dtype=np.float64)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def as_tuple(colour: Float[np.ndarray, " 3"]) -> Colour:
    """A clipped colour as plain floats."""
    red, green, blue = np.clip(colour, 0.0, 1.0)
    return float(red), float(green), float(blue)


def _shade(name: str, rng: np.random.Generator, palette: dict[str, Colour]) -> np.ndarray:
    """A named colour in linear light with brightness jitter and a little tint."""
    return np.clip(linear(palette[name]) * rng.uniform(0.7, 1.3) * rng.uniform(0.94, 1.06, 3), 0.004, 1.0)


def body_colours(rng: np.random.Generator, style: str = "day") -> tuple[str, dict[str, Colour]]:
    """Name of the main colour, and linear RGB of every slot; the same distribution for all classes.

    Half of the second and third slots are a shade of the main colour, so that "a red dog" looks red.
    """
    palette = PASTEL if style == "palette" else PALETTE
    name = NAMES[rng.integers(len(NAMES))]
    main = _shade(name, rng, palette)
    colours = {"main": main}
    for slot in SLOTS[1:]:
        other = _shade(NAMES[rng.integers(len(NAMES))], rng, palette)
        related = main * rng.uniform(0.45, 0.8) if rng.random() < 0.6 else 1.0 - (1.0 - main) * rng.uniform(0.5, 0.8)
        colours[slot] = related if rng.random() < 0.5 else other
    # Tyres, eyes, screens: mostly near black, but any colour can be dark, else dark would mean vehicle.
    colours["dark"] = colours["dark"] * 0.35 if rng.random() < 0.5 else np.full(3, rng.uniform(0.006, 0.06))
    return name, {slot: as_tuple(colour) for slot, colour in colours.items()}


def wide(
    rng: np.random.Generator, saturation: tuple[float, float], brightness: tuple[float, float]
) -> Float[np.ndarray, " 3"]:
    """Any palette colour, greyed to a saturation share and set to a mean sRGB brightness; linear RGB."""
    colour = np.asarray(PALETTE[NAMES[rng.integers(len(NAMES))]])
    return greyed(colour, rng, saturation, brightness)


def greyed(
    colour: Float[np.ndarray, " 3"] | Colour,
    rng: np.random.Generator,
    saturation: tuple[float, float],
    brightness: tuple[float, float],
) -> Float[np.ndarray, " 3"]:
    """An sRGB colour pulled towards grey by a drawn share and set to a drawn mean brightness; linear RGB."""
    colour = np.asarray(colour, dtype=np.float64)
    mixed = colour.mean() + (colour - colour.mean()) * rng.uniform(*saturation)
    return linear(np.clip(mixed * (rng.uniform(*brightness) / max(mixed.mean(), 1e-3)), 0.0, 1.0))

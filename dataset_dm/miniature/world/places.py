"""Where objects can be: which settings suit which class, and how a setting looks.

The world is a toy world: chairs may stand in a field and a boat on a street (on its trailer). Weights are broad, so
that the setting hints at the class but never gives it away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import Light, Setting
from dataset_dm.miniature.world.palette import as_tuple, greyed, wide

KINDS = ("room", "street", "field", "water", "sky")

# Weight of each kind in the order of KINDS. Street and field take everything, so any mix of classes has a place.
PLACES: dict[str, tuple[float, float, float, float, float]] = {
    "aeroplane": (0.0, 1.0, 1.0, 0.0, 4.0),
    "bicycle": (1.0, 1.5, 1.0, 0.0, 0.0),
    "bird": (1.0, 0.7, 1.0, 1.0, 2.5),
    "boat": (0.0, 0.5, 0.7, 4.0, 0.0),
    "bottle": (2.0, 0.7, 1.0, 0.0, 0.0),
    "bus": (0.0, 1.8, 1.2, 0.0, 0.0),
    "car": (0.6, 1.8, 1.0, 0.0, 0.0),
    "cat": (1.5, 1.0, 1.0, 0.0, 0.0),
    "chair": (2.0, 0.7, 1.0, 0.0, 0.0),
    "cow": (0.0, 1.0, 2.0, 0.0, 0.0),
    "diningtable": (2.0, 0.7, 1.0, 0.0, 0.0),
    "dog": (1.2, 1.0, 1.2, 0.0, 0.0),
    "horse": (0.0, 1.0, 2.0, 0.0, 0.0),
    "motorbike": (0.6, 1.8, 1.0, 0.0, 0.0),
    "person": (1.5, 1.2, 1.2, 0.0, 0.0),
    "pottedplant": (2.0, 0.8, 1.0, 0.0, 0.0),
    "sheep": (0.0, 1.0, 2.0, 0.0, 0.0),
    "sofa": (2.0, 0.7, 0.8, 0.0, 0.0),
    "train": (0.0, 1.5, 1.5, 0.0, 0.0),
    "tvmonitor": (2.0, 0.6, 0.8, 0.0, 0.0),
}

# Classes that are seen together. The groups are a partition and partners are drawn uniformly inside one, so every class
# stays equally frequent.
COMPANY: tuple[tuple[str, ...], ...] = (
    ("aeroplane", "bird"),
    ("boat",),
    ("bicycle", "bus", "car", "motorbike", "train"),
    ("cow", "horse", "sheep", "dog"),
    ("bottle", "cat", "chair", "diningtable", "person", "pottedplant", "sofa", "tvmonitor"),
)

GRASS = ((0.36, 0.58, 0.22), (0.52, 0.60, 0.26), (0.28, 0.44, 0.20), (0.68, 0.62, 0.36), (0.50, 0.42, 0.24))
WATER = ((0.18, 0.42, 0.62), (0.16, 0.46, 0.48), (0.34, 0.46, 0.54), (0.12, 0.26, 0.42), (0.30, 0.44, 0.34))
SKY = ((0.36, 0.58, 0.90), (0.55, 0.72, 0.92), (0.66, 0.70, 0.76), (0.92, 0.62, 0.44), (0.80, 0.56, 0.68))


def draw_kind(names: Sequence[str], rng: np.random.Generator) -> str:
    """A setting kind that suits all class names."""
    weights = np.prod([PLACES[name] for name in names], axis=0)
    return str(rng.choice(KINDS, p=weights / weights.sum()))


def draw_setting(kind: str, reach: Float[np.ndarray, " 3"], eye: float, rng: np.random.Generator) -> Setting:
    """The looks of a setting around placed bodies.

    reach: (half width, top, far end) in metres that the bodies take up; eye: camera height. A room holds them all.
    """
    textures = {
        "room": ("plain", "tiles", "planks", "stripes", "blotches"),
        "street": ("plain", "tiles", "blotches"),
        "field": ("blotches", "plain", "stripes"),
        "water": ("blotches", "plain", "stripes"),
        "sky": ("plain",),
    }[kind]
    horizon, zenith = _sky(rng)
    return Setting(
        kind=kind,
        ground=as_tuple(_ground(kind, rng)),
        texture=textures[rng.integers(len(textures))],
        texture_scale=float(rng.uniform(0.4, 1.4)),
        wall=as_tuple(wide(rng, (0.1, 0.8), (0.3, 0.85))),
        ceiling=as_tuple(wide(rng, (0.0, 0.3), (0.6, 0.95))),
        room=_room(reach, eye, rng),
        horizon_colour=as_tuple(horizon),
        zenith_colour=as_tuple(zenith),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """A light above, four times out of five on the camera's side."""
    azimuth = rng.uniform(-0.5, 0.5) * np.pi
    elevation = np.deg2rad(rng.uniform(28.0, 75.0))
    side = -1.0 if rng.random() < 0.8 else 1.0
    direction = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), side * np.cos(azimuth) * np.cos(elevation)]
    )
    warmth = rng.uniform(-0.1, 0.1)
    x, y, z = (float(value) for value in direction / np.linalg.norm(direction))
    return Light((x, y, z), float(rng.uniform(0.35, 0.6)), as_tuple(np.array([0.95 + warmth / 2, 0.95, 0.95 - warmth])))


def _room(reach: np.ndarray, eye: float, rng: np.random.Generator) -> tuple[float, float, float]:
    half_width = reach[0] + rng.uniform(0.2, 1.8)
    height = max(reach[1], eye) + rng.uniform(0.4, 1.6)
    return float(half_width), float(height), float(reach[2] + rng.uniform(0.15, 3.0))


def _ground(kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "field":
        return greyed(GRASS[rng.integers(len(GRASS))], rng, (0.5, 1.15), (0.25, 0.62))
    if kind == "water":
        return greyed(WATER[rng.integers(len(WATER))], rng, (0.5, 1.1), (0.25, 0.6))
    if kind == "street":
        return wide(rng, (0.0, 0.25), (0.22, 0.7))
    return wide(rng, (0.1, 0.9), (0.2, 0.75))


def _sky(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    pick = int(rng.choice(len(SKY), p=(0.32, 0.26, 0.2, 0.12, 0.1)))
    zenith = greyed(SKY[pick], rng, (0.4, 1.2), (0.4, 0.8))
    horizon = zenith + (1.0 - zenith) * rng.uniform(0.2, 0.8)
    return horizon, zenith

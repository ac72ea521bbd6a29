"""The hand tools of the object builders: solids by end points, rotations, bounds, and one size for every figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import Figure, Solid

Point = tuple[float, float, float]


def _point(values: Iterable[float]) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def turn(axis: str, degrees: float) -> Float[np.ndarray, "3 3"]:
    """The right-handed rotation about 'x', 'y' or 'z'."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def along(direction: Sequence[float], side: Sequence[float] = (0.0, 0.0, 1.0)) -> Float[np.ndarray, "3 3"]:
    """The rotation that lays own y along `direction` and own z as near `side` as it can be."""
    y = np.asarray(direction, float)
    y = y / np.linalg.norm(y)
    z = np.asarray(side, float)
    z = z - (z @ y) * y
    if np.linalg.norm(z) < 1e-6:  # side is parallel to direction: any other side will do
        z = np.array([1.0, 0.0, 0.0]) - y[0] * y
    z = z / np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], axis=1)


def box(
    center: Sequence[float], half: Sequence[float], slot: str = "main", rotation: Float[np.ndarray, "3 3"] | None = None
) -> Solid:
    """A box by its centre and half extents."""
    return Solid("box", _point(center), _point(half), slot, rotation)


def egg(
    center: Sequence[float], half: Sequence[float], slot: str = "main", rotation: Float[np.ndarray, "3 3"] | None = None
) -> Solid:
    """An ellipsoid by its centre and half axes."""
    return Solid("ellipsoid", _point(center), _point(half), slot, rotation)


def ball(center: Sequence[float], radius: float, slot: str = "main") -> Solid:
    """A sphere."""
    return egg(center, (radius, radius, radius), slot)


def drum(center: Sequence[float], radius: float, half: float, slot: str = "main") -> Solid:
    """An upright cylinder."""
    return Solid("cylinder", _point(center), (float(radius), float(half), float(radius)), slot)


def _between(a: Sequence[float], b: Sequence[float]) -> tuple[np.ndarray, np.ndarray, float]:
    start, end = np.asarray(a, float), np.asarray(b, float)
    return (start + end) / 2, end - start, float(np.linalg.norm(end - start))


def tube(a: Sequence[float], b: Sequence[float], radius: float, slot: str = "main") -> Solid:
    """A capsule whose round ends are centred on `a` and `b`."""
    middle, direction, length = _between(a, b)
    upright = abs(direction[0]) + abs(direction[2]) < 1e-9
    return Solid(
        "capsule",
        _point(middle),
        (float(radius), length / 2 + radius, float(radius)),
        slot,
        None if upright else along(direction),
    )


def tubes(points: Sequence[Sequence[float]], radii: float | Sequence[float], slot: str = "main") -> list[Solid]:
    """A bent tube through `points`; `radii` is one number or one for each stretch."""
    stretches = len(points) - 1
    each = [radii] * stretches if isinstance(radii, (int, float)) else list(radii)
    return [tube(points[i], points[i + 1], each[i], slot) for i in range(stretches)]


def rod(a: Sequence[float], b: Sequence[float], radius: float, slot: str = "main") -> Solid:
    """A cylinder whose flat ends are centred on `a` and `b`."""
    middle, direction, length = _between(a, b)
    return Solid("cylinder", _point(middle), (float(radius), length / 2, float(radius)), slot, along(direction))


def spike(
    base: Sequence[float],
    tip: Sequence[float],
    radius: float,
    slot: str = "main",
    width: float | None = None,
    side: Sequence[float] = (0.0, 0.0, 1.0),
) -> Solid:
    """A cone from the centre of its `base` to its `tip`; `width` is its other radius, measured along `side`."""
    middle, direction, length = _between(base, tip)
    half = (float(radius), length / 2, float(radius if width is None else width))
    return Solid("cone", _point(middle), half, slot, along(direction, side))


def leaf(
    base: Sequence[float],
    tip: Sequence[float],
    width: float,
    thickness: float,
    slot: str = "main",
    side: Sequence[float] = (0.0, 0.0, 1.0),
) -> Solid:
    """An ellipsoid from `base` to `tip`; `width` and `thickness` are half axes, the thickness along `side`."""
    middle, direction, length = _between(base, tip)
    return egg(middle, (width, length / 2, thickness), slot, along(direction, side))


def ring(center: Sequence[float], radius: float, thickness: float, pieces: int, slot: str = "main") -> list[Solid]:
    """A wheel's rim in the x-y plane that one can see through: `pieces` tubes around a circle."""
    angles = np.linspace(0, 2 * np.pi, pieces + 1)
    points = np.asarray(center, float) + radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    return tubes(points, float(thickness), slot)


def wheel(
    center: Sequence[float], radius: float, half_width: float, tyre: str = "dark", hub: str = "third"
) -> list[Solid]:
    """A full wheel that rolls along x, with a hub that shows on both sides."""
    across = np.array([0.0, 0.0, 1.0])
    middle = np.asarray(center, float)
    return [
        rod(middle - half_width * across, middle + half_width * across, radius, tyre),
        rod(middle - 1.15 * half_width * across, middle + 1.15 * half_width * across, 0.5 * radius, hub),
    ]


def both(solids: Iterable[Solid]) -> list[Solid]:
    """The solids and their mirror images in z."""
    flip = np.diag([1.0, 1.0, -1.0])
    result = []
    for solid in solids:
        x, y, z = solid.center
        rotation = None if solid.rotation is None else flip @ solid.rotation @ flip
        result += [solid, Solid(solid.shape, (x, y, -z), solid.half, solid.slot, rotation)]
    return result


def vary(rng: np.random.Generator, value: float, spread: float = 0.15) -> float:
    """`value` times a factor drawn from 1 - spread .. 1 + spread."""
    return float(value * rng.uniform(1 - spread, 1 + spread))


def _reach(solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    """Exact lower and upper corner (3,), (3,) of the axis-aligned box around one solid, relative to its centre."""
    rotation = np.eye(3) if solid.rotation is None else solid.rotation
    x, y, z = (rotation[:, i] * solid.half[i] for i in range(3))
    if solid.shape == "box":
        upper = abs(x) + abs(y) + abs(z)
        return -upper, upper
    if solid.shape == "ellipsoid":
        upper = np.sqrt(x**2 + y**2 + z**2)
        return -upper, upper
    if solid.shape == "capsule":
        radius = solid.half[0]
        upper = abs(rotation[:, 1]) * (solid.half[1] - radius) + radius
        return -upper, upper
    disc = np.sqrt(x**2 + z**2)
    if solid.shape == "cylinder":
        return -abs(y) - disc, abs(y) + disc
    return np.minimum(y, -y - disc), np.maximum(y, -y + disc)  # a cone: its tip, or the rim of its base


def bounds(solids: Iterable[Solid]) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """The exact axis-aligned lower and upper corner of an assembly, in its own units."""
    corners = [(np.asarray(s.center) + low, np.asarray(s.center) + high) for s in solids for low, high in [_reach(s)]]
    return np.min([low for low, _ in corners], axis=0), np.max([high for _, high in corners], axis=0)


def normalise(figure: Figure) -> Figure:
    """Put the figure on y = 0, centre it on x = z = 0, and scale it so that the geometric mean of its larger horizontal
    extent and its height is 1 m: size then says nothing about class. Keypoints move along."""
    low, high = bounds(figure.solids)
    extent = high - low
    scale = 1.0 / np.sqrt(max(extent[0], extent[2]) * extent[1])
    origin = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    solids = tuple(
        Solid(
            s.shape,
            _point((np.asarray(s.center) - origin) * scale),
            _point(np.asarray(s.half) * scale),
            s.slot,
            s.rotation,
        )
        for s in figure.solids
    )
    keypoints = None if figure.keypoints is None else (figure.keypoints - origin) * scale
    return Figure(solids, keypoints, figure.pose)

"""Rays against the five unit shapes (see placing.Placed), many rays of one solid at a time.

The rays of a rectangle of the image have directions that are affine in row and column, before and after the affine map
into a unit shape's space. So a direction is the sum of a part by row and a part by column, and the quadratics of round
shapes come from two short vectors and one matrix product instead of full images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import SHAPES

TINY = np.float32(1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """h * w rays in a unit shape's space: origin + t * (by_row[i] + by_column[j]); float32."""

    origin: Float[np.ndarray, " 3"]
    by_row: Float[np.ndarray, "h 3"]
    by_column: Float[np.ndarray, "w 3"]

    def direction(self, axis: int) -> Float[np.ndarray, "h w"]:
        """One component of all directions."""
        return self.by_row[:, axis, None] + self.by_column[None, :, axis]

    def quadratic(self, axes: slice) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"], np.float32]:
        """a, b, c of |origin + t d|^2 = a t^2 + 2 b t + c over the chosen axes."""
        row, column, origin = self.by_row[:, axes], self.by_column[:, axes], self.origin[axes]
        a = (2.0 * row) @ column.T
        a += (row * row).sum(1)[:, None]
        a += (column * column).sum(1)
        b = (row @ origin)[:, None] + column @ origin
        return a, b, origin @ origin


def _slab(rays: Rays, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Entry and exit t (h, w) of |coordinate| <= 1."""
    inverse = 1 / (rays.direction(axis) + TINY)  # TINY only matters to rays along the slab, which need no NaN
    middle = inverse * -rays.origin[axis]
    np.abs(inverse, out=inverse)
    return middle - inverse, middle + inverse


def _box(rays: Rays, reach: float) -> np.ndarray:
    near, far = _slab(rays, 0)
    for axis in (1, 2):
        enter, leave = _slab(rays, axis)
        np.maximum(near, enter, out=near)
        np.minimum(far, leave, out=far)
    near[near > far] = np.inf
    return near


def _ball(rays: Rays, reach: float) -> np.ndarray:
    a, b, c = rays.quadratic(slice(0, 3))
    root = b * b
    root -= a * (c - np.float32(1))
    np.sqrt(root, out=root)
    root += b
    root /= a
    return np.negative(root, out=root)


def _cylinder(rays: Rays, reach: float) -> np.ndarray:
    a, b, c = rays.quadratic(slice(0, 3, 2))
    a += TINY
    root = np.sqrt(b * b - a * (c - np.float32(1)))
    enter, leave = _slab(rays, 1)
    near = np.maximum((-b - root) / a, enter)
    far = np.minimum((root - b) / a, leave)
    near[~(near <= far)] = np.inf  # also where root is NaN
    return near


def _cone(rays: Rays, reach: float) -> np.ndarray:
    # w = (1 - y) / 2 is the radius at height y: inside where x^2 + z^2 <= w^2 and 0 <= w <= 1
    a, b, c = rays.quadratic(slice(0, 3, 2))
    speed, start = rays.direction(1) * np.float32(-0.5), np.float32(0.5) * (1 - rays.origin[1])
    a_side = a - speed * speed + TINY
    b_side = b - speed * start
    root = np.sqrt(b_side * b_side - a_side * (c - start * start))
    best = np.full_like(a, np.inf)
    for t in ((-b_side - root) / a_side, (root - b_side) / a_side):
        width = start + t * speed
        np.minimum(best, np.where((width >= 0) & (width <= 1) & (t > 0), t, np.inf), out=best)
    base = (1 - start) / speed
    inside = (a * base + 2 * b) * base + c <= 1
    return np.minimum(best, np.where(inside & (base > 0), base, np.inf))


def _capsule(rays: Rays, reach: float) -> np.ndarray:
    # The infinite cylinder's entry tells which part is met: the side, or the ball at the end beyond which it lies.
    a, b, c = rays.quadratic(slice(0, 3, 2))
    a += TINY
    side = (-b - np.sqrt(b * b - a * (c - np.float32(1)))) / a
    speed, start = rays.direction(1), rays.origin[1]
    height = start + side * speed
    middle = np.clip(height, -reach, reach)
    a += speed * speed
    rest = start - middle
    b += speed * rest
    ball = (-b - np.sqrt(b * b - a * (c - np.float32(1) + rest * rest))) / a
    return np.where(height == middle, side, ball)


_HIT: dict[str, Callable[[Rays, float], np.ndarray]] = {
    "box": _box, "ellipsoid": _ball, "cylinder": _cylinder, "cone": _cone, "capsule": _capsule,
}  # fmt: skip
_HITS = tuple(_HIT[name] for name in SHAPES)


def hit(shape: int, rays: Rays, reach: float = 1.0) -> Float[np.ndarray, "h w"]:
    """First t at which rays from outside enter the unit shape SHAPES[shape]; NaN or inf where they miss.

    Lines that meet the shape behind their origin give t < 0 (the cone gives a miss). Floating point warnings of
    missing rays are for the caller to silence with np.errstate.
    """
    return _HITS[shape](rays, np.float32(reach))


def unit_normals(
    shape: int, points: Float[np.ndarray, "3 n"], reach: Float[np.ndarray, " n"] | float = 1.0
) -> Float[np.ndarray, "3 n"]:
    """Outward normals, of any length, of SHAPES[shape] at surface points in the shape's unit space."""
    name = SHAPES[shape]
    x, y, z = points
    if name == "ellipsoid":
        return points
    if name == "box":
        size = np.abs(points)
        return np.where(size >= size.max(0), np.sign(points), np.float32(0))
    if name == "capsule":
        return np.stack([x, y - np.clip(y, -reach, reach), z])
    radius = np.sqrt(x * x + z * z)
    if name == "cylinder":
        flat, slope = np.abs(y) > radius, np.float32(0)
    else:
        flat, slope = -1 - y > radius - (1 - y) / 2, radius / 2
    keep = np.where(flat, np.float32(0), np.float32(1))
    return np.stack([x * keep, np.where(flat, np.sign(y), slope), z * keep])

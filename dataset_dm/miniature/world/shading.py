"""Light on solids and their soft shadows on the ground."""

from __future__ import annotations

import numpy as np
from einops import rearrange
from jaxtyping import Float, Int

from dataset_dm.miniature.world.geometry import SHAPES, Light
from dataset_dm.miniature.world.intersect import unit_normals
from dataset_dm.miniature.world.placing import Placed
from dataset_dm.miniature.world.project import View, ellipsoid_bounds
from dataset_dm.miniature.world.surfaces import Grid

_SUN = 1.2  # brightness of the directed light, so that surfaces facing it keep their colour


def shade_solids(
    solids: Placed,
    light: Light,
    rays: Grid,
    where: Int[np.ndarray, " n"],
    which: Int[np.ndarray, " n"],
    depth: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "3 n"]:
    """Linear RGB of n hits: flat ray index `where`, solid `which`, `depth` along the optical axis."""
    row, column = np.divmod(where.astype(np.int32), np.int32(rays.shape[1]))
    direction = rays.by_row.T.astype(np.float32)[:, row] + rays.by_column.T.astype(np.float32)[:, column]
    normal = world_normals(solids, rays, direction, which, depth)
    toward = np.asarray(light.direction, np.float32)
    back = direction / -np.sqrt(_dot(direction, direction))
    sun = np.maximum(_dot(normal, toward), 0)
    facing = np.clip(_dot(normal, back), 0, 1)
    middle = back + toward[:, None]
    gloss = np.maximum(_dot(normal, middle), 0) / np.sqrt(_dot(middle, middle))
    gloss = (gloss * gloss * gloss) ** 8 * (sun > 0)
    height = np.float32(rays.origin[1]) + depth * direction[1]
    ambient = np.float32(light.ambient)
    # light from the sky above is stronger than what the ground throws back; a body's foot is in its own shadow
    diffuse = ambient * (0.78 + 0.3 * normal[1] + 0.12 * facing) * (1 - 0.3 * np.exp(-9 * np.abs(height)))
    diffuse += (1 - ambient) * np.float32(_SUN) * sun
    diffuse *= 0.86 + 0.14 * facing
    shine = 0.12 * (1 - ambient) * gloss + 0.06 * ambient * (1 - facing) ** 3
    # neighbours of one colour differ a little
    tone = 1 + 0.06 * np.sin(np.arange(len(solids)) * 2.4 + solids.body)
    colour = (solids.colour * tone[:, None] * np.asarray(light.colour)).T.astype(np.float32)[:, which]
    return colour * diffuse + shine


def _dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Dot products (n,) of columns (3, n); `second` may be one vector (3,)."""
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def world_normals(
    solids: Placed,
    rays: Grid,
    direction: Float[np.ndarray, "3 n"],
    which: Int[np.ndarray, " n"],
    depth: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "3 n"]:
    """Unit normals in world axes of n hits."""
    start = np.einsum("nij,nj->ni", solids.inverse, rays.origin - solids.center).T.astype(np.float32)[:, which]
    turn = rearrange(solids.inverse, "n i j -> i j n").astype(np.float32)[..., which]
    unit = np.stack([start[i] + depth * _dot(turn[i], direction) for i in range(3)])
    reach = solids.reach.astype(np.float32)[which]
    shape = solids.shape[which]
    local = np.empty_like(unit)
    for kind in range(len(SHAPES)):
        rows = np.flatnonzero(shape == kind)
        if len(rows):
            local[:, rows] = unit_normals(kind, unit[:, rows], reach[rows])
    normal = np.stack([_dot(turn[:, j], local) for j in range(3)])  # normals go by the inverse, transposed
    return normal / np.sqrt(_dot(normal, normal))


def ground_shade(
    solids: Placed, light: Light, eye: View, x: Float[np.ndarray, "h w"], z: Float[np.ndarray, "h 1"]
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Shares 0..1 of the directed light that solids take from the ground, and of the light in contact with it.

    Every solid stands in for its ellipsoid, thrown along the light onto the ground as one soft ellipse; overlapping
    shadows do not add up. x, z: world coordinates of the ground seen by the pixels.
    """
    shadow, contact = np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32)
    spread = solids.axes @ np.swapaxes(solids.axes, 1, 2)
    extent = np.sqrt(np.maximum(spread[:, 1, 1], 1e-12)) * np.maximum(solids.reach, 1.0)
    long = solids.axes[:, :, 1] * np.sqrt(np.maximum(solids.reach, 1.0) ** 2 - 1.0)[:, None]
    spread = spread + long[:, :, None] * long[:, None, :]
    base = solids.center[:, 1] - extent
    toward = np.asarray(light.direction, np.float64)
    toward = toward / max(toward[1], 0.35)  # a low light would throw endless shadows
    _blobs(shadow, solids.center, spread, toward, 1.05, 0.5, np.arange(len(solids)), eye, x, z)
    low = np.flatnonzero(base < 0.15)
    _blobs(contact, solids.center, spread, np.array([0.0, 1.0, 0.0]), 1.15, 0.9, low, eye, x, z)
    return shadow, contact


def _blobs(
    into: np.ndarray, center: np.ndarray, spread: np.ndarray, toward: np.ndarray, grow: float, softness: float,
    rows: np.ndarray, eye: View, x: np.ndarray, z: np.ndarray,
) -> None:  # fmt: skip
    """Raise `into` to the soft ellipses of ellipsoids thrown along `toward` onto the ground."""
    throw = np.array([[1.0, -toward[0], 0.0], [0.0, -toward[2], 1.0]])
    spot = center[rows] @ throw.T
    ellipse = throw @ spread[rows] @ throw.T * grow**2 + 0.02**2 * np.eye(2)
    inverse = np.linalg.inv(ellipse).astype(np.float32)
    reach = np.sqrt(1 + softness)
    flat = np.zeros((len(rows), 3, 3))
    flat[:, ::2, :2] = np.linalg.cholesky(ellipse) * reach
    bounds = ellipsoid_bounds(np.stack([spot[:, 0], np.zeros(len(rows)), spot[:, 1]], 1), flat, eye)
    height, width = into.shape
    box = np.clip(bounds, -1, max(height, width) + 1)
    left, right = np.floor(np.clip(box[:, 0::2], 0, width)).astype(int).T
    top, bottom = np.floor(np.clip(box[:, 1::2], 0, height)).astype(int).T
    spot = spot.astype(np.float32)
    for k in range(len(rows)):
        part = np.s_[top[k] : bottom[k] + 1, left[k] : right[k] + 1]
        dx, dz = x[part] - spot[k, 0], z[top[k] : bottom[k] + 1] - spot[k, 1]
        (xx, xz), (_, zz) = inverse[k]
        value = dx * (xx * dx + (2 * xz) * dz)
        value += zz * dz * dz
        value -= np.float32(1 + softness)
        value *= np.float32(-0.5 / softness)
        np.maximum(into[part], np.minimum(value, 1), out=into[part])


def lit_ground(
    colour: Float[np.ndarray, "h w 3"],
    light: Light,
    shadow: Float[np.ndarray, "h w"],
    contact: Float[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w 3"]:
    """Ground colour under the light, its shadows and contact darkening."""
    direct = (1 - light.ambient) * _SUN * max(light.direction[1], 0.0)
    strength = light.ambient * 1.05 * (1 - 0.45 * contact) + direct * (1 - 0.85 * shadow)
    return colour * strength[..., None].astype(np.float32) * np.asarray(light.colour, np.float32)

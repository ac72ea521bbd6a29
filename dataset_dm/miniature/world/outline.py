"""Projected outlines of figures: cheap bounds and coverage, so that a scene is composed without rendering it.

Frame coordinates: x right, y down, the square frame is [0, 1] x [0, 1].
"""

from __future__ import annotations

from functools import cache

import numpy as np
from einops import rearrange
from jaxtyping import Bool, Float

from dataset_dm.miniature.world.geometry import Camera, Figure

GRID = 40  # cells a side of the coverage test


@cache
def _unit_points(shape: str) -> np.ndarray:
    """Points (26, 3) around a primitive of half extents 1, a little outside where few points stand for a curve."""
    signs = np.array(
        [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z], dtype=np.float64
    )
    turn = np.arange(13) * (2 * np.pi / 13)
    ring = np.stack([np.cos(turn), np.zeros(13), np.sin(turn)], axis=1) * 1.02
    up = np.array([0.0, 1.0, 0.0])
    if shape == "box":
        return signs
    if shape == "cylinder":
        return np.concatenate([ring + up, ring - up])
    if shape == "cone":
        return np.concatenate([ring - up, np.broadcast_to(up, (13, 3))])
    return 1.03 * signs / np.linalg.norm(signs, axis=1, keepdims=True)


def figure_points(figure: Figure) -> Float[np.ndarray, "solids 26 3"]:
    """Points in object coordinates whose convex hull, solid by solid, is the figure's outline."""
    points = np.stack([_unit_points(solid.shape) for solid in figure.solids])
    half = np.array([solid.half for solid in figure.solids])
    center = np.array([solid.center for solid in figure.solids])
    for row, solid in enumerate(figure.solids):
        if solid.shape == "capsule":  # spheres at both ends: a ball plus the straight part
            straight = max(solid.half[1] - solid.half[0], 0.0)
            offset = np.sign(points[row, :, 1:2]) * np.array([0.0, straight, 0.0])
            points[row] = points[row] * solid.half[0] + offset
        else:
            points[row] = points[row] * half[row]
        if solid.rotation is not None:
            points[row] = points[row] @ np.asarray(solid.rotation, dtype=np.float64).T
    return points + center[:, None]


def turned(points: Float[np.ndarray, "*points 3"], yaw: float) -> Float[np.ndarray, "*points 3"]:
    """Ry(yaw) @ p for every point; at yaw = pi/2 the object's +x looks at the camera (-z)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return points @ np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]).T


def project(
    points: Float[np.ndarray, "*points 3"], camera: Camera
) -> tuple[Float[np.ndarray, "*points 2"], Float[np.ndarray, "*points"]]:
    """World points -> frame coordinates, and depth along the optical axis in metres."""
    x, y, z = np.moveaxis(points - np.asarray(camera.position), -1, 0)
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    depth = z * cos - y * sin
    reach = 2.0 * camera.half_width * np.maximum(depth, 1e-3)
    return np.stack([0.5 + x / reach, 0.5 - (y * cos + z * sin) / reach], axis=-1), depth


def bounds(frame: Float[np.ndarray, "*points 2"]) -> Float[np.ndarray, " 4"]:
    """Frame points -> (left, top, right, bottom)."""
    flat = frame.reshape(-1, 2)
    return np.concatenate([flat.min(0), flat.max(0)])


def extent(box: Float[np.ndarray, " 4"]) -> float:
    """Geometric mean of a box's width and height, as a share of the frame's side."""
    return float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))


@cache
def _directions() -> np.ndarray:
    angles = np.arange(8) * (np.pi / 8)
    return np.stack([np.cos(angles), np.sin(angles)], axis=0)


@cache
def _cells() -> np.ndarray:
    middle = (np.arange(GRID) + 0.5) / GRID
    x, y = np.meshgrid(middle, middle)
    return np.stack([x, y], axis=-1).reshape(-1, 2) @ _directions()


def coverage(frame: Float[np.ndarray, "solids points 2"]) -> Bool[np.ndarray, "grid grid"]:
    """The GRID x GRID cells that are covered by solids, given as frame points.

    A solid's outline is taken as the polygon that eight pairs of parallel lines cut out around its points.
    """
    along = frame @ _directions()
    low, high = along.min(1), along.max(1)
    cells = _cells()
    inside = (cells[None] >= low[:, None]) & (cells[None] <= high[:, None])
    return rearrange(inside.all(-1).any(0), "(h w) -> h w", h=GRID)


def footprint(points: Float[np.ndarray, "*points 3"]) -> Float[np.ndarray, "4 2"]:
    """Corners, in object x and z, of the rectangle around a figure's ground plan."""
    flat = points.reshape(-1, 3)[:, [0, 2]]
    (x0, z0), (x1, z1) = flat.min(0), flat.max(0)
    return np.array([(x0, z0), (x1, z0), (x1, z1), (x0, z1)])


def rectangles_meet(first: Float[np.ndarray, "4 2"], second: Float[np.ndarray, "4 2"]) -> bool:
    """Whether two rectangles, corners in order, overlap (separating-axis test)."""
    for corners in (first, second):
        axes = np.stack([corners[1] - corners[0], corners[2] - corners[1]], axis=1)
        one, two = first @ axes, second @ axes
        if ((one.max(0) <= two.min(0)) | (two.max(0) <= one.min(0))).any():
            return False
    return True

"""From the world to pixels: points, bounds of solids and bodies, visibility of keypoints.

Pixel x grows to the right from the left edge, y downwards from the top edge; pixels are square, their centres at .5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from dataset_dm.miniature.world.geometry import SHAPES, Body, Camera
from dataset_dm.miniature.world.placing import Placed, body_to_world

NEAR = 0.05  # metres; nothing nearer is drawn
BOX, ELLIPSOID, CYLINDER, CONE, CAPSULE = range(len(SHAPES))
_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)

# How deep a joint may lie under its own body's surface and still count as seen, in metres at scale 1. The face's points
# lie on the skin, hips and shoulders deep in the trunk, a wrist behind the hand when the arm points at the camera.
_FACE, _DEEP, _LIMB = 0.05, 0.14, 0.10
JOINT_MARGINS = np.array([_FACE] * 5 + [_DEEP] * 2 + [_LIMB] * 2 + [_DEEP] * 4 + [_LIMB] * 4)
OTHER_MARGIN = 0.02  # metres; surfaces of other bodies and of the ground


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A camera over an image of `size` = (height, width): its axes in the world (rows right, up, forward), its focal
    length in pixels."""

    position: Float[np.ndarray, " 3"]
    axes: Float[np.ndarray, "3 3"]
    focal: float
    size: tuple[int, int]

    @property
    def middle(self) -> tuple[float, float]:
        return self.size[1] / 2, self.size[0] / 2


def view(camera: Camera, size: tuple[int, int]) -> View:
    """The view of `camera` on an image of `size` = (height, width) pixels."""
    c, s = np.cos(camera.pitch), np.sin(camera.pitch)
    axes = np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    return View(np.asarray(camera.position, np.float64), axes, size[1] / 2 / camera.half_width, size)


def project_points(
    points: Float[np.ndarray, "n 3"], camera: Camera, size: tuple[int, int] = (128, 128)
) -> Float[np.ndarray, "n 3"]:
    """World points to pixel x, pixel y, depth in metres along the optical axis.

    x and y are NaN for points that are not in front of the camera (depth <= 0.05 m).
    """
    eye = view(camera, size)
    right, up, depth = eye.axes @ (np.asarray(points, np.float64).reshape(-1, 3) - eye.position).T
    safe = np.where(depth > NEAR, depth, np.nan)
    cx, cy = eye.middle
    return np.stack([cx + eye.focal * right / safe, cy - eye.focal * up / safe, depth], axis=1)


def _interval(center: np.ndarray, axes: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact bounds of coordinate `row` / depth over ellipsoids (..., 3), (..., 3, 3) in camera axes; infinite where one
    is not in front.

    Planes through the eye that touch an ellipsoid, S = axes axes^T: (c_r - m c_z)^2 = S_rr - 2 m S_rz + m^2 S_zz.
    """
    spread_r, spread_z = axes[..., row, :], axes[..., 2, :]
    a = center[..., 2] ** 2 - (spread_z**2).sum(-1)
    b = center[..., row] * center[..., 2] - (spread_r * spread_z).sum(-1)
    c = center[..., row] ** 2 - (spread_r**2).sum(-1)
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    front = center[..., 2] - np.sqrt((spread_z**2).sum(-1)) > NEAR
    safe = np.where(front, a, 1.0)
    return np.where(front, (b - root) / safe, -np.inf), np.where(front, (b + root) / safe, np.inf)


def _hull(center: np.ndarray, axes: np.ndarray, eye: View) -> np.ndarray:
    """Pixel bounds (n, 4) x0, y0, x1, y1 over the second axis of ellipsoids (n, k, 3), (n, k, 3, 3) in world axes."""
    center = (center - eye.position) @ eye.axes.T
    axes = eye.axes @ axes
    left, right = _interval(center, axes, 0)
    low, high = _interval(center, axes, 1)
    cx, cy = eye.middle
    bounds = (cx + eye.focal * left.min(1), cy - eye.focal * high.max(1))
    return np.stack([*bounds, cx + eye.focal * right.max(1), cy - eye.focal * low.min(1)], axis=1)


def ellipsoid_bounds(
    center: Float[np.ndarray, "n 3"], axes: Float[np.ndarray, "n 3 3"], eye: View
) -> Float[np.ndarray, "n 4"]:
    """Exact pixel bounds x0, y0, x1, y1 of ellipsoids center + axes @ unit ball."""
    return _hull(center[:, None], axes[:, None], eye)


def solid_bounds(solids: Placed, eye: View) -> Float[np.ndarray, "n 4"]:
    """Exact pixel bounds x0, y0, x1, y1 of every solid, not clipped to the image; infinite sides where a solid
    reaches behind the near plane, NaN-free. A solid wholly behind the camera has x0 > x1."""
    bounds = np.empty((len(solids), 4))
    for shape in range(len(SHAPES)):
        rows = np.flatnonzero(solids.shape == shape)
        if len(rows) == 0:
            continue
        center, axes = solids.center[rows, None], solids.axes[rows, None]
        offset = axes[..., 1] * solids.reach[rows, None, None]
        flat = axes * np.array([1.0, 0.0, 1.0])  # a disc across the own y axis
        if shape == BOX:
            center = center + np.einsum("nij,kj->nki", axes[:, 0], _CORNERS)
            axes = np.zeros((*center.shape, 3))
        elif shape == CAPSULE:
            center, axes = np.concatenate([center - offset, center + offset], 1), np.concatenate([axes, axes], 1)
        elif shape in (CYLINDER, CONE):
            top = flat if shape == CYLINDER else np.zeros_like(flat)
            center, axes = np.concatenate([center - offset, center + offset], 1), np.concatenate([flat, top], 1)
        bounds[rows] = _hull(center, axes, eye)
    radius = np.sqrt((solids.axes**2).sum((1, 2))) * np.maximum(solids.reach, 1.0) + 1e-6
    behind = (solids.center - eye.position) @ eye.axes[2] + radius < NEAR
    bounds[behind] = (np.inf, np.inf, -np.inf, -np.inf)
    return bounds


def body_keypoints(
    body: Body,
    index: int,
    camera: Camera,
    depth: Float[np.ndarray, "H W"],
    instance: UInt8[np.ndarray, "H W"],
    size: tuple[int, int],
) -> Float[np.ndarray, "17 3"] | None:
    """Keypoints x, y, v of one body, None for figures without joints.

    depth, instance: the nearest surface (inf: nothing) and its 1 + body index on a grid over the same image, any
    resolution. v = 0 outside the image (x = y = 0), 1 hidden, 2 visible: no surface of something else in front of the
    joint, and its own body's surface no further in front than the limb is thick.
    """
    if body.figure.keypoints is None:
        return None
    x, y, away = project_points(body_to_world(body, body.figure.keypoints), camera, size).T
    inside = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0]) & (away > NEAR)
    column = np.where(inside, x * (depth.shape[1] / size[1]), 0).astype(np.intp)
    row = np.where(inside, y * (depth.shape[0] / size[0]), 0).astype(np.intp)
    own = instance[row, column] == index + 1
    margin = np.where(own, JOINT_MARGINS * body.scale, OTHER_MARGIN)
    visible = depth[row, column] >= away - margin
    points = np.stack([x, y, np.where(visible, 2.0, 1.0)], axis=1)
    return np.where(inside[:, None], points, 0.0).astype(np.float32)


def all_keypoints(
    bodies: Sequence[Body],
    camera: Camera,
    depth: Float[np.ndarray, "H W"],
    instance: UInt8[np.ndarray, "H W"],
    size: tuple[int, int],
) -> tuple[Float[np.ndarray, "17 3"] | None, ...]:
    """body_keypoints of every body of a scene."""
    return tuple(body_keypoints(body, i, camera, depth, instance, size) for i, body in enumerate(bodies))

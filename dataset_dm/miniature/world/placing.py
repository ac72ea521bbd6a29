"""Solids of all bodies of a scene in world coordinates, as arrays: each one an affine map of a unit shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from dataset_dm.miniature.world.geometry import SHAPES, Body

CAPSULE = SHAPES.index("capsule")


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """n solids in the world: p_world = axes[i] @ p_unit + center[i]; float64, metres.

    Unit shapes: box |x|, |y|, |z| <= 1; ellipsoid the unit ball; cylinder radius 1, |y| <= 1; cone base radius 1 at
    y = -1, tip at y = 1; capsule radius 1 about the segment |y| <= reach (the other shapes have reach 1).
    """

    shape: Int[np.ndarray, " n"]  # index into SHAPES
    center: Float[np.ndarray, "n 3"]
    axes: Float[np.ndarray, "n 3 3"]  # columns are the own axes times the half extents
    inverse: Float[np.ndarray, "n 3 3"]  # inverse of axes
    reach: Float[np.ndarray, " n"]
    body: Int[np.ndarray, " n"]  # index of the body in the scene
    colour: Float[np.ndarray, "n 3"]  # linear RGB

    def __len__(self) -> int:
        return len(self.shape)


def rotation_y(yaw: float) -> Float[np.ndarray, "3 3"]:
    """Rotation about y: yaw 0 leaves a figure facing +x, yaw pi/2 turns it to -z (towards the camera)."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def body_to_world(body: Body, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Object coordinates of a body's figure to world coordinates."""
    return body.scale * np.asarray(points, np.float64) @ rotation_y(body.yaw).T + np.asarray(body.position)


def place(bodies: Sequence[Body]) -> Placed:
    """Every solid of `bodies` in world coordinates, in the order of bodies and of their figures' solids."""
    parts = [(index, body, solid) for index, body in enumerate(bodies) for solid in body.figure.solids]
    count = len(parts)
    owner = np.array([index for index, _, _ in parts], np.intp)
    shape = np.array([SHAPES.index(solid.shape) for _, _, solid in parts], np.intp)
    half = np.array([solid.half for _, _, solid in parts], np.float64).reshape(count, 3)
    local = np.array([solid.center for _, _, solid in parts], np.float64).reshape(count, 3)
    eye = np.eye(3)
    turn = np.array([eye if solid.rotation is None else solid.rotation for _, _, solid in parts]).reshape(count, 3, 3)
    colour = np.array([body.colours[solid.slot] for _, body, solid in parts], np.float32).reshape(count, 3)
    yaws = np.array([rotation_y(body.yaw) for body in bodies]).reshape(-1, 3, 3)[owner]
    scale = np.array([body.scale for body in bodies], np.float64)[owner]
    position = np.array([body.position for body in bodies], np.float64).reshape(-1, 3)[owner]

    capsule = shape == CAPSULE
    reach = np.where(capsule, np.maximum(half[:, 1] / half[:, 0] - 1.0, 0.0), 1.0)
    size = np.where(capsule[:, None], half[:, :1], half)  # a capsule is scaled evenly, its length is in `reach`
    axes = (yaws @ turn) * (scale[:, None] * size)[:, None, :]
    # axes = rotation * diag(extent), so the inverse needs no solver
    inverse = np.swapaxes(axes, 1, 2) / ((scale[:, None] * size) ** 2)[:, :, None]
    center = scale[:, None] * np.einsum("nij,nj->ni", yaws, local) + position
    return Placed(shape, center, axes, inverse, reach, owner, colour)

"""The vocabulary of the miniature world: solids, figures, placed bodies, camera, light, setting, scene.

Axes. World: x right, y up, z away from the camera; units of `Scene.metre` metres; the ground is y = 0.
Object: the figure stands on y = 0, is centred on x = z = 0, faces +x (an animal's nose, a car's bonnet, the
screen of a monitor, the seat side of a chair), y is up. Numpy only; every class here is frozen plain data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

SHAPES = ("box", "ellipsoid", "cylinder", "cone", "capsule")

# Material slots. A figure names slots, never colours: the scene draws the colours of every slot from one palette for
# all classes, so that colour says nothing about class.
SLOTS = ("main", "second", "third", "dark")


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """One primitive in object coordinates.

    `half` are half extents along the solid's own axes. A cylinder, cone (tip up) or capsule stands along its own y:
    half = (radius x, half height, radius z); a capsule's half height includes its round ends and its radii are equal.
    `rotation` (3, 3) turns own axes into object axes: p_object = rotation @ p_own + center.
    """

    shape: str
    center: tuple[float, float, float]
    half: tuple[float, float, float]
    slot: str = "main"
    rotation: Float[np.ndarray, "3 3"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """An assembled object: its solids, and for a person the 17 COCO keypoints (17, 3) in object coordinates."""

    solids: tuple[Solid, ...]
    keypoints: Float[np.ndarray, "17 3"] | None = None
    pose: str = ""  # of a person: standing, walking, sitting, arms raised


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A figure placed in the world: p_world = scale * (Ry(yaw) @ p_object) + position; yaw in radians about y."""

    class_id: int  # 1..20, VOC order
    figure: Figure
    position: tuple[float, float, float]
    yaw: float
    scale: float
    colours: dict[str, tuple[float, float, float]]  # slot -> linear RGB in [0, 1]
    colour_name: str = ""  # name of the main colour, for captions


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole at `position`, looking along +z, turned down by `pitch` radians; `half_width` is the image plane's half
    width at distance 1 (tan of half the horizontal field of view)."""

    position: tuple[float, float, float]
    pitch: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Light:
    direction: tuple[float, float, float]  # unit vector toward the light
    ambient: float  # share of light without direction, 0..1
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the scene is. `kind`: room, street, field, water, sky. Unused entries are ignored by a kind."""

    kind: str
    ground: tuple[float, float, float]
    texture: str = "plain"  # plain, tiles, planks, stripes, blotches
    texture_scale: float = 1.0
    wall: tuple[float, float, float] = (0.8, 0.8, 0.8)
    ceiling: tuple[float, float, float] = (0.9, 0.9, 0.9)
    room: tuple[float, float, float] = (3.0, 3.0, 8.0)  # half width, height, distance of the back wall (m)
    horizon_colour: tuple[float, float, float] = (0.8, 0.87, 0.95)
    zenith_colour: tuple[float, float, float] = (0.4, 0.6, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    camera: Camera
    light: Light
    setting: Setting
    bodies: tuple[Body, ...]
    style: str = "day"
    noise_seed: int = 0  # sensor noise and texture phases
    captions: tuple[str, ...] = ()
    metre: float = 1.0  # metres of one world unit


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """An image with exact labels.

    image: sRGB with sensor noise; clean: the same without noise; class_map: 0 background, else class_id; instance_map:
    0 background, else 1 + index of the body in scene.bodies; depth: metres along the optical axis, sky 0; keypoints of
    each body: x, y in pixels, pixel centres at .5; v 0 outside the image, 1 hidden, 2 visible.
    """

    image: UInt8[np.ndarray, "h w 3"]
    clean: UInt8[np.ndarray, "h w 3"]
    class_map: UInt8[np.ndarray, "h w"]
    instance_map: UInt8[np.ndarray, "h w"]
    depth: Float[np.ndarray, "h w"]
    keypoints: tuple[Float[np.ndarray, "17 3"] | None, ...] = field(default=())

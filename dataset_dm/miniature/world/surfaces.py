"""What stands behind the bodies: ground, room walls and sky; their depth and their colours.

The camera never rolls, so the ground, the ceiling and the back wall have one depth per image row, the side walls one
per column; nothing here is traced ray by ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from dataset_dm.miniature.world.geometry import Light, Setting
from dataset_dm.miniature.world.project import View
from dataset_dm.miniature.world.textures import ground_tone, soft_noise, water_slopes

SKY, GROUND, BACK, LEFT, RIGHT, CEILING = range(6)
FAR = 100.0  # metres; ground further away melts into the sky and has depth 0 like it


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Rays through the centres of an (h, w) grid over the image: direction = by_row[i] + by_column[j], world axes, of
    length 1 along the optical axis, so that the ray parameter is depth."""

    origin: Float[np.ndarray, " 3"]
    by_row: Float[np.ndarray, "h 3"]
    by_column: Float[np.ndarray, "w 3"]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.by_row), len(self.by_column)


def grid(eye: View, factor: int = 1) -> Grid:
    """The rays of a view, `factor` x `factor` a pixel."""
    height, width = eye.size
    cx, cy = eye.middle
    u = ((np.arange(width * factor) + 0.5) / factor - cx) / eye.focal
    v = (cy - (np.arange(height * factor) + 0.5) / factor) / eye.focal
    right, up, forward = eye.axes
    return Grid(eye.position, forward + v[:, None] * up, u[:, None] * right)


def backdrop(setting: Setting, rays: Grid) -> tuple[Float[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Depth in metres, inf for sky, and surface id of the empty setting."""
    rows, columns = np.full(rays.shape[0], np.inf), np.full(rays.shape[1], np.inf)
    row_id, column_id = np.full(rays.shape[0], SKY, np.uint8), np.full(rays.shape[1], LEFT, np.uint8)

    def nearer(t: np.ndarray, name: int) -> None:
        better = (t > 0) & (t < rows)
        rows[better], row_id[better] = t[better], name

    with np.errstate(divide="ignore", invalid="ignore"):
        if setting.kind != "sky":
            below = -rays.origin[1] / rays.by_row[:, 1]
            nearer(np.where(below < FAR, below, np.inf), GROUND)
        if setting.kind == "room":
            half, height, distance = setting.room
            nearer((height - rays.origin[1]) / rays.by_row[:, 1], CEILING)
            nearer((distance - rays.origin[2]) / rays.by_row[:, 2], BACK)
            aside = rays.by_column[:, 0]
            columns = np.where(aside < 0, (-half - rays.origin[0]) / aside, (half - rays.origin[0]) / aside)
            column_id = np.where(aside < 0, LEFT, RIGHT).astype(np.uint8)
    side = columns[None, :] < rows[:, None]
    depth = np.where(side, columns[None, :], rows[:, None]).astype(np.float32)
    return depth, np.where(side, column_id[None, :], row_id[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Painter:
    """Paints the surfaces of one setting; the phases of its textures come from `seed`. Colours are linear RGB."""

    setting: Setting
    light: Light
    rays: Grid
    focal: float
    seed: int

    def random(self, stream: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, stream))

    def reach(self, height: float) -> Float[np.ndarray, " h"]:
        """Depth at which each row meets the plane at `height`; FAR where it does not."""
        with np.errstate(divide="ignore"):
            t = (height - self.rays.origin[1]) / self.rays.by_row[:, 1]
        return np.where((t > 0) & (t < FAR), t, FAR)

    def ground(self) -> tuple[Float[np.ndarray, "h w 3"], Float[np.ndarray, "h w"], Float[np.ndarray, "h 1"]]:
        """Unshaded colour of the ground, and world x, z of its points."""
        t = self.reach(0.0)[:, None]
        x = self.rays.origin[0] + t * self.rays.by_column[None, :, 0]
        z = self.rays.origin[2] + t * self.rays.by_row[:, 2:]
        across = t / self.focal
        along = across * t / max(self.rays.origin[1], 0.1)
        tone = ground_tone(self.setting, x, z, across, along, self.random(1))
        colour = tone[..., None] * np.asarray(self.setting.ground, np.float32)
        return colour.astype(np.float32), x.astype(np.float32), z.astype(np.float32)

    def water(self, x: Float[np.ndarray, "h w"], z: Float[np.ndarray, "h 1"]) -> Float[np.ndarray, "h w 3"]:
        """Lit colour of water: its own colour, and the sky mirrored in waves that tilt the mirror."""
        t = self.reach(0.0)[:, None]
        steep = np.sqrt(self.rays.origin[1] ** 2 / (t**2 + 1e-6))  # sine of the angle to the water
        slope = water_slopes(x, z, t / self.focal * t / max(self.rays.origin[1], 0.1), self.random(1))
        mirror = np.clip(0.08 + 0.6 * (1 - np.clip(steep * (1 + 0.7 * slope), 0, 1)) ** 3, 0, 0.7)[..., None]
        body = np.asarray(self.setting.ground) * (1.0 + 0.22 * slope[..., None])
        rise = np.clip(steep * 1.5 + slope * 0.5, 0, 1)[..., None]
        sky = (1 - rise) * np.asarray(self.setting.horizon_colour) + rise * np.asarray(self.setting.zenith_colour)
        return (body * (1 - mirror) + sky * mirror).astype(np.float32)

    def haze(self, colour: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
        """Outdoor ground melted into the horizon's colour with distance."""
        share = 0.75 * (1 - np.exp(-((self.reach(0.0) / 35.0) ** 1.5)))
        return colour + share[:, None, None].astype(np.float32) * (
            np.asarray(self.setting.horizon_colour, np.float32) - colour
        )

    def wall(self, surface: int) -> Float[np.ndarray, "h w 3"]:
        """Lit colour of a wall or the ceiling: even light, darker towards the edges of the room."""
        half, height, distance = self.setting.room
        rows, columns, origin = self.rays.by_row, self.rays.by_column, self.rays.origin
        with np.errstate(divide="ignore", invalid="ignore"):
            if surface == CEILING:
                t = self.reach(height)[:, None]
            elif surface == BACK:
                t = ((distance - origin[2]) / rows[:, 2])[:, None]
            else:
                t = (((-half if surface == LEFT else half) - origin[0]) / columns[:, 0])[None, :]
        t = np.clip(t, 0.0, FAR)
        x, y, z = (origin[k] + t * (rows[:, k, None] + columns[None, :, k]) for k in range(3))
        edges = {
            CEILING: (half - np.abs(x), distance - z),
            BACK: (half - np.abs(x), y, height - y),
        }.get(surface, (distance - z, y, height - y))
        tone = np.ones(self.rays.shape)
        for gap in edges:
            tone -= 0.22 * np.exp(-np.maximum(gap, 0) / 0.35)
        normal = {CEILING: (0, -1, 0), BACK: (0, 0, -1), LEFT: (1, 0, 0), RIGHT: (-1, 0, 0)}[surface]
        facing = max(float(np.dot(normal, self.light.direction)), 0.0)
        tone *= 0.68 + 0.32 * self.light.ambient + 0.35 * facing
        if surface == CEILING:
            return (tone[..., None] * np.asarray(self.setting.ceiling)).astype(np.float32)
        along = x if surface == BACK else z
        tone *= self._paper(along, y, t / self.focal)
        return (tone[..., None] * np.asarray(self.setting.wall)).astype(np.float32)

    def _paper(self, along: np.ndarray, y: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Tone of the wall: a skirting board; in some rooms soft vertical stripes or a darker lower half."""
        rng = self.random(2)
        look, period, panel = rng.integers(3), rng.uniform(0.5, 1.1), rng.uniform(0.8, 1.1)
        tone = 1 + 0.04 * soft_noise(along, y, 1.6, rng)
        if look == 1:
            tone = tone + 0.07 * np.sin(2 * np.pi * along / period) * np.clip(1.6 - 4 * footprint / period, 0, 1)
        elif look == 2:
            tone = tone * (1 - 0.2 * np.clip((panel - y) / np.maximum(footprint, 1e-3) + 0.5, 0, 1))
        return tone * (1 - 0.3 * np.clip((0.1 - y) / np.maximum(footprint, 1e-3) + 0.5, 0, 1))

    def sky(self) -> Float[np.ndarray, "h w 3"]:
        """Colour (h, w, 3) of the sky: a gradient by height, soft clouds, a far skyline outdoors."""
        rise = self.rays.by_row[:, 1] / np.hypot(self.rays.by_row[:, 1], self.rays.by_row[:, 2])
        low = -0.35 if self.setting.kind == "sky" else 0.0  # without a ground the gradient spans the whole image
        share = np.clip((rise - low) / (0.75 - low), 0, 1)[:, None, None] ** 0.7
        horizon, zenith = np.asarray(self.setting.horizon_colour), np.asarray(self.setting.zenith_colour)
        rng = self.random(3)
        u = self.rays.by_column[None, :, 0]
        v = rise[:, None] * 2.2
        cover = rng.uniform(-0.5, 0.5)
        clouds = np.clip(soft_noise(u, v, 0.55, rng) * 0.8 + cover, 0, 1) * rng.uniform(0.25, 0.7)
        clouds = clouds * np.clip((rise - low)[:, None] * 6, 0, 1)
        colour = horizon + (zenith - horizon) * share
        colour = colour + clouds[..., None] * (np.minimum(horizon * 0.5 + 0.5, 1.0) - colour)
        if self.setting.kind in ("street", "field", "water"):
            colour = self._skyline(colour, u, rise[:, None], rng)
        return colour.astype(np.float32)

    def _skyline(self, colour: np.ndarray, u: np.ndarray, rise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Hazy hills, or houses in a street, along the horizon: decoration of the sky (no depth)."""
        if self.setting.kind == "street":
            edges = np.cumsum(rng.uniform(0.12, 0.4, 16)) - 2.2
            heights = rng.uniform(0.01, 0.12, 17)
            top = heights[np.searchsorted(edges, u[0])][None, :]
        else:
            waves = soft_noise(u, np.zeros_like(u), 0.9, rng)
            top = rng.uniform(0.0, 0.05) + rng.uniform(0.01, 0.05) * waves
        cover = np.clip((top - rise) * self.focal + 0.5, 0, 1)[..., None] * rng.uniform(0.35, 0.65)
        tint = 0.55 * np.asarray(self.setting.ground) + 0.25 * np.asarray(self.setting.horizon_colour)
        return colour + cover * (tint - colour)

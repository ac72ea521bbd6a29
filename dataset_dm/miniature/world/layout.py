"""Places the objects of a scene: their wanted size in the image is drawn first, distances and scales follow.

The first object gets a drawn size and place in the frame, which gives the camera height; every further object
stands in front of or behind another one, so that most of them overlap in the image. Decisions are made on projected
outlines and a coarse coverage test; nothing is rendered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import Camera, Figure
from dataset_dm.miniature.world.outline import (
    bounds,
    coverage,
    extent,
    figure_points,
    footprint,
    project,
    rectangles_meet,
    turned,
)

# Wanted size of an object (geometric mean of projected width and height over the frame's side) by number of objects.
# Size by bounds favours solid objects (a bus), size by area thin ones (a bicycle); `slender` goes half way.
SIZES = ((0.46, 0.84), (0.40, 0.66), (0.35, 0.57), (0.31, 0.48), (0.28, 0.43))
MAX_SIDE = 0.95  # no side of an uncut object is longer
FILL = (0.04, 0.46)  # estimated union of the objects, shares of the frame
MIN_VISIBLE = 0.028  # estimated visible share of the frame of every object
MAX_HIDDEN = 0.5  # estimated hidden share of every object
OVERLAPPING = 0.85  # of the further objects are placed over or under another one
CUT_SCENES, CUT = 0.12, 0.12  # share of the objects that the frame may cut, and how much of a side it may cut
SCALES = (0.35, 3.2)  # of further objects; figures are about a metre
TRIES, PROPOSALS = 24, 14  # layouts of a scene, places of an object


@dataclasses.dataclass(slots=True)
class PlacedFigure:
    """An object while it is being placed: its figure, its outline in object coordinates, its place."""

    class_id: int
    figure: Figure
    points: Float[np.ndarray, "solids 26 3"]  # object coordinates
    ground: Float[np.ndarray, "4 2"]  # corners of the ground plan, object x and z
    yaw: float
    slender: float  # about 1; more for an object that fills little of its own bounds
    scale: float = 1.0
    position: Float[np.ndarray, " 3"] = dataclasses.field(default_factory=lambda: np.zeros(3))
    box: Float[np.ndarray, " 4"] = dataclasses.field(
        default_factory=lambda: np.zeros(4)
    )  # left, top, right, bottom in the frame

    def world(self) -> Float[np.ndarray, "solids 26 3"]:
        """Its outline in world coordinates."""
        return turned(self.points, self.yaw) * self.scale + self.position

    def plan(self) -> Float[np.ndarray, "4 2"]:
        """Corners of its rectangle on the ground, world x and z."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return self.ground @ np.array([[cos, -sin], [sin, cos]]) * self.scale + self.position[[0, 2]]


def place_figure(class_id: int, figure: Figure, yaw: float) -> PlacedFigure:
    """A figure that has no place yet."""
    points = figure_points(figure)
    return PlacedFigure(class_id, figure, points, footprint(points), yaw, _slender(turned(points, yaw)))


def _slender(points: np.ndarray) -> float:
    """By how much to enlarge an object whose outline (solids, 26, 3), seen from afar, leaves its bounds empty."""
    flat = np.stack([points[..., 0], -points[..., 1] + 0.15 * points[..., 2]], axis=-1)
    box = bounds(flat)
    filled = float(coverage((flat - box[:2]) / (box[2:] - box[:2])).mean())
    return float(np.clip((0.55 / max(filled, 0.05)) ** 0.3, 0.8, 1.3))


def reach(objects: Sequence[PlacedFigure]) -> Float[np.ndarray, " 3"]:
    """(half width, top, far end) of all objects in metres."""
    points = np.concatenate([one.world().reshape(-1, 3) for one in objects])
    return np.array([np.abs(points[:, 0]).max(), points[:, 1].max(), points[:, 2].max()])


def layout(objects: Sequence[PlacedFigure], kind: str, rng: np.random.Generator) -> tuple[Camera, list[PlacedFigure]]:
    """Place all objects in a setting of a kind; try until the image is as wanted, else take the best try."""
    best: tuple[float, Camera, list[PlacedFigure]] | None = None
    shrink = 1.0
    for _ in range(TRIES):
        tried = [dataclasses.replace(one) for one in objects]
        camera = _place_first(tried[0], len(objects), kind, shrink, rng)
        placed = camera is not None and all(
            _place_next(tried[:row], tried[row], camera, len(objects), kind, shrink, rng)
            for row in range(1, len(tried))
        )
        if not placed:
            shrink *= 0.97
            continue
        fault = _fault(tried, camera)
        if best is None or fault < best[0]:
            best = (fault, camera, tried)
        if fault == 0.0:
            break
    if best is None:  # too many long objects for one image: show fewer
        return layout(objects[:-1], kind, rng)
    return best[1], best[2]


def _wanted_size(one: PlacedFigure, count: int, rng: np.random.Generator) -> float:
    low, high = SIZES[count - 1]
    return one.slender * float(rng.uniform(low, high))


def _limited(size: float, box: np.ndarray) -> float:
    """The wanted size, less where a long object would be longer than the frame."""
    longest = max(box[2] - box[0], box[3] - box[1])
    return min(size, MAX_SIDE * extent(box) / longest)


def _base(kind: str, one: PlacedFigure) -> float:
    """Height of an object's foot: boats and birds dip into the water a little."""
    return -0.07 * one.scale if kind == "water" else 0.0


def _inside(middle: np.ndarray, sides: np.ndarray, margin: float) -> np.ndarray:
    """The middle of a box moved so that the box stays in the frame, `margin` away from its edges."""
    low = np.minimum(sides / 2 + margin, 0.5)
    return np.clip(middle, low, 1.0 - low)


def _place_first(one: PlacedFigure, count: int, kind: str, shrink: float, rng: np.random.Generator) -> Camera | None:
    """Draw the view, and choose distance and camera height so that the object has its drawn size and place."""
    pitch = float(rng.uniform(-0.25, 0.3) if kind == "sky" else rng.triangular(0.02, 0.14, 0.42))
    half_width = float(rng.uniform(0.24, 0.46))
    size = _wanted_size(one, count, rng) * shrink
    spread = 0.22 if count == 1 else 0.28
    wanted = np.array([rng.uniform(0.5 - spread, 0.5 + spread), rng.uniform(0.42, 0.64)])
    margin = -CUT if rng.random() < CUT_SCENES else 0.02
    one.scale = float(rng.uniform(0.8, 1.3))
    one.position = np.array([0.0, _base(kind, one), one.scale / (2 * half_width * size)])
    eye = one.scale * 0.5
    for _ in range(4):  # each round corrects size and place by what the last one gave
        one.box = bounds(project(one.world(), Camera((0.0, float(eye), 0.0), pitch, half_width))[0])
        ratio = extent(one.box) / _limited(size, one.box)
        goal = _inside(wanted, (one.box[2:] - one.box[:2]) / ratio, margin)
        x, y = (goal - (one.box[:2] + one.box[2:]) / 2) * 2 * half_width * one.position[2]
        # Farther away along the line of sight: sideways in proportion, and the pitched line sinks with the distance.
        step = one.position[2] * (ratio - 1.0)
        one.position = one.position + np.array([x + one.position[0] * (ratio - 1.0), 0.0, step])
        eye += y + step * np.tan(pitch)
    camera = Camera((0.0, float(eye), 0.0), pitch, half_width)
    one.box = bounds(project(one.world(), camera)[0])
    high_enough = kind == "sky" or eye > 0.2
    return camera if high_enough and _cut(one.box) <= CUT + 0.04 and _far_enough(one, camera) else None


def _place_next(
    placed: Sequence[PlacedFigure],
    one: PlacedFigure,
    camera: Camera,
    count: int,
    kind: str,
    shrink: float,
    rng: np.random.Generator,
) -> bool:
    """Put an object in front of or behind a placed one, usually overlapping it in the image; False if nothing fits."""
    size = _wanted_size(one, count, rng) * shrink
    overlap = rng.random() < OVERLAPPING
    cut = CUT if rng.random() < CUT_SCENES else 0.0
    for _ in range(PROPOSALS):
        other = placed[int(rng.integers(len(placed)))]
        gap = rng.uniform(0.5, 1.5) * other.scale
        depth = other.position[2] + (gap if rng.random() < 0.62 else -gap)
        if depth < 1.0:
            continue
        side = 1.0 if rng.random() < 0.5 else -1.0
        offset = side * (rng.uniform(0.35, 0.9) if overlap else rng.uniform(1.05, 1.4))
        _solve_next(one, other, camera, size, depth, offset, kind, rng)
        fits = _cut(one.box) <= cut and not any(rectangles_meet(one.plan(), each.plan()) for each in placed)
        if fits and SCALES[0] < one.scale < SCALES[1] and _far_enough(one, camera):
            return True
        size *= 0.985
    return False


def _solve_next(
    one: PlacedFigure,
    other: PlacedFigure,
    camera: Camera,
    size: float,
    depth: float,
    offset: float,
    kind: str,
    rng: np.random.Generator,
) -> None:
    """Scale and place an object at a depth: its size in the frame, its middle `offset` half widths beside another's."""
    metres = 2 * camera.half_width * depth  # across the frame at that depth
    one.scale = size * metres
    one.position = np.array([0.0, 0.0, depth])
    lift = rng.uniform(-0.3, 0.3)
    for _ in range(3):
        if kind != "sky":
            one.position[1] = _base(kind, one)
        box = bounds(project(one.world(), camera)[0])
        one.scale *= _limited(size, box) / extent(box)
        middle = (other.box[0] + other.box[2]) / 2 + offset * (other.box[2] - other.box[0] + box[2] - box[0]) / 2
        one.position[0] += (middle - (box[0] + box[2]) / 2) * metres
        if kind == "sky":
            level = (other.box[1] + other.box[3]) / 2 + lift
            one.position[1] -= (level - (box[1] + box[3]) / 2) * metres
    one.box = bounds(project(one.world(), camera)[0])


def _far_enough(one: PlacedFigure, camera: Camera) -> bool:
    """Whether all of an object lies well in front of the camera, its near end not blown up by perspective."""
    depth = project(one.world(), camera)[1]
    return float(depth.min()) > max(0.3, 0.5 * float(depth.max()))


def _cut(box: np.ndarray) -> float:
    """Largest share of a box's side that lies outside the frame."""
    sides = box[2:] - box[:2]
    return float((np.maximum(-box[:2], 0.0) / sides + np.maximum(box[2:] - 1.0, 0.0) / sides).max())


def _fault(objects: Sequence[PlacedFigure], camera: Camera) -> float:
    """How far the image is from what is wanted, by a coarse coverage test; 0 is good."""
    taken: np.ndarray | None = None
    fault = 0.0
    for one in sorted(objects, key=lambda one: float(np.hypot(one.position[0], one.position[2]))):  # nearest first
        own = coverage(project(one.world(), camera)[0])
        seen = own if taken is None else own & ~taken
        taken = own if taken is None else own | taken
        share = float(seen.mean())
        fault += 20.0 * max(0.0, MIN_VISIBLE - share)
        fault += max(0.0, 1.0 - share / max(float(own.mean()), 1e-4) - MAX_HIDDEN)
    fill = 0.0 if taken is None else float(taken.mean())
    return fault + 10.0 * (max(0.0, FILL[0] - fill) + max(0.0, fill - FILL[1]))

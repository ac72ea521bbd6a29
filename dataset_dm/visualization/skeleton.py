"""COCO skeletons: 17 joints and their limbs, left and right in different colours, hidden joints hollow."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from dataset_dm.labels.coco import LIMBS, side

Colour = tuple[int, int, int]

# Blue and orange stay apart for every kind of colour vision (Okabe and Ito, 2008).
LEFT, RIGHT, MIDDLE = (30, 136, 229), (240, 120, 0), (250, 250, 250)
CASING = (20, 24, 28)
FINE = 3  # drawn this much larger, then shrunk: smooth lines


def draw_skeletons(image: Image.Image, keypoints: Float[np.ndarray, "n 17 3"], scale: float) -> Image.Image:
    """The image with a skeleton for every person.

    Seen joints are filled, hidden ones hollow; joints not in the image (v 0) and their limbs are left out. The limbs
    of one side have its colour, those across the body white.

    Args:
        image: RGB, enlarged by `scale`.
        keypoints: (x, y, v) in pixels before enlarging, pixel centres at .5.
        scale: factor between the two.
    """
    if not len(keypoints):
        return image.copy()
    layer = Image.new("RGBA", (FINE * image.width, FINE * image.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for person in np.asarray(keypoints, dtype=np.float64):
        _draw_person(draw, person * (FINE * scale, FINE * scale, 1), max(image.size) * FINE)
    layer = layer.resize(image.size, Image.Resampling.BOX)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _draw_person(draw: ImageDraw.ImageDraw, joints: np.ndarray, side_length: int) -> None:
    """Limbs first, dark rims under colours, so that joints stay on top."""
    extent = np.ptp(joints[joints[:, 2] > 0, 1]) if (joints[:, 2] > 0).any() else 0
    # line width follows the person's height, within what reads well on a panel, and is never finer than a pixel or two
    thinnest = max(side_length / 260, 1.6 * FINE)
    unit = float(np.clip(extent / 60, thinnest, max(side_length / 110, thinnest)))
    seen = [(a, b) for a, b in LIMBS if joints[a, 2] > 0 and joints[b, 2] > 0]
    for width, rim in ((1.9 * unit, True), (unit, False)):
        for a, b in seen:
            ends = (*joints[a, :2], *joints[b, :2])
            draw.line(ends, CASING if rim else _colour(a, b), round(width))
    for joint in range(len(joints)):
        x, y, state = joints[joint]
        if state <= 0:
            continue
        colour, radius = _colour(joint, joint), (1.0 if joint < 5 else 1.35) * unit
        _disc(draw, x, y, radius + 0.55 * unit, CASING)
        if state > 1:
            _disc(draw, x, y, radius, colour)
        else:
            _disc(draw, x, y, radius + 0.1 * unit, colour)
            _disc(draw, x, y, radius - 0.4 * unit, MIDDLE)


def _colour(a: int, b: int) -> Colour:
    sides = {side(joint) for joint in (a, b)} - {"middle"}
    return {"left": LEFT, "right": RIGHT}[sides.pop()] if len(sides) == 1 else MIDDLE


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

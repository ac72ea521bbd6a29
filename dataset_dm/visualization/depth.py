"""Depth as colours: near is pale yellow, far is dark violet, unknown is hatched grey; and the bar with the scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from dataset_dm.visualization.overlay import hatched
from dataset_dm.visualization.text import font

# Lightness falls evenly and every step looks as large as the next (OKLab distance): hue from yellow over red to violet.
TABLE = (
    "f7ed6c fdd75b fdc05c fca854 fb8f4f fb7448 f45b50 e34960 d0396d bb2e7b a42587 8b1e8f 721894 590c91 401081 29116d "
    "141056"
).split()


@dataclass(frozen=True, slots=True)
class Scale:
    """Metres from `near` to `far`; equal ratios are equal steps of colour, since depth errors are ratios too."""

    near: float
    far: float

    def position(self, metres: Float[np.ndarray, "*#shape"]) -> Float[np.ndarray, "*#shape"]:
        """0 (near) … 1 (far) of depths > 0; those outside are clipped to the ends."""
        with np.errstate(divide="ignore"):
            along = np.log(np.maximum(metres, 0) / self.near) / np.log(self.far / self.near)
        return along.clip(0, 1)


def scale_of(depths: Sequence[Float[np.ndarray, "_ _"]]) -> Scale | None:
    """A scale for all these depth maps (metres, 0 unknown); None when no depth is known.

    It spans all but the nearest 0.5 % and the farthest 6 % of the pixels, or a thin horizon would take half of it;
    values beyond have the colour of the end.
    """
    known = [depth[np.isfinite(depth) & (depth > 0)] for depth in depths]
    values = np.concatenate(known) if known else np.zeros(0)
    if not values.size:
        return None
    near, far = (float(value) for value in np.percentile(values, (0.5, 94)))
    return Scale(near, far) if far > 1.05 * near else Scale(near / 1.05, near * 1.05)


def colours() -> UInt8[np.ndarray, "256 3"]:
    """The 256 colours from near to far."""
    table = np.array([[int(entry[i : i + 2], 16) for i in (0, 2, 4)] for entry in TABLE], dtype=np.float64)
    at = np.linspace(0, len(table) - 1, 256)
    return np.stack([np.interp(at, np.arange(len(table)), table[:, i]) for i in range(3)], axis=-1).round().astype("u1")


def colour_depth(depth: Float[np.ndarray, "H W"], scale: Scale | None, enlarge: int = 1) -> Image.Image:
    """A depth map (metres, 0 unknown) as an image, `enlarge` times as large, without smoothing."""
    big = np.kron(depth, np.ones((enlarge, enlarge), dtype=depth.dtype))
    known = np.isfinite(big) & (big > 0) & (scale is not None)
    ground = hatched(np.full(big.shape, 215.0), enlarge)
    if scale is None:
        return Image.fromarray(np.repeat(ground[..., None], 3, axis=-1).astype(np.uint8))
    where = np.round(255 * scale.position(np.where(known, big, scale.near))).astype(int)
    return Image.fromarray(np.where(known[..., None], colours()[where], ground[..., None]).astype(np.uint8))


def ticks(scale: Scale, most: int = 7) -> list[float]:
    """At most `most` round metres inside the scale, such as 1, 2, 5 times a power of ten."""
    for steps in (
        (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9),
        (1, 1.5, 2, 3, 4, 6, 8),
        (1, 1.5, 2, 3, 5, 7),
        (1, 2, 5),
        (1, 3),
        (1,),
    ):
        powers = range(int(np.floor(np.log10(scale.near))), int(np.ceil(np.log10(scale.far))) + 1)
        marks = [step * 10.0**power for power in powers for step in steps]
        inside = [mark for mark in marks if scale.near <= mark <= scale.far]
        if len(inside) <= most:
            break
    return inside if len(inside) > 1 else [scale.near, scale.far]


def draw_bar(scale: Scale, width: int = 320) -> Image.Image:
    """The scale as a bar with metres under it, near at the left, and a swatch for "unknown"."""
    face, height, inset = font(14), 14, 14
    unknown = 110
    canvas = Image.new("RGB", (width + unknown + 2 * inset, height + 26), (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    row = colours()[np.linspace(0, 255, width).round().astype(int)]
    canvas.paste(Image.fromarray(np.repeat(row[None], height, axis=0)), (inset, 0))
    # the pointed ends stand for what lies beyond them
    for tip, foot, colour in ((0, inset, row[0]), (2 * inset + width - 1, inset + width - 1, row[-1])):
        draw.polygon(((foot, 0), (tip, height / 2), (foot, height - 1)), tuple(colour.tolist()))
    marks = ticks(scale)
    for mark, place in zip(marks, scale.position(np.array(marks)).tolist(), strict=True):
        x = inset + place * (width - 1)
        draw.line((x, height, x, height + 4), (90, 98, 106), 1)
        text = f"{mark:.3g}" + (" m" if mark == marks[-1] else "")
        draw.text((x, height + 5), text, (30, 38, 46), face, "ma")
    swatch = hatched(np.full((height, 20), 215.0), 2)
    canvas.paste(Image.fromarray(swatch.astype(np.uint8)), (width + 2 * inset + 8, 0))
    draw.text((width + 2 * inset + 34, height / 2), "unknown", (30, 38, 46), face, "lm")
    return canvas

"""Labels as colours: PASCAL VOC's palette, palette PNGs, a label laid over its image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from PIL import Image

from dataset_dm.labels.vocabulary import VOID


def palette(count: int = 256) -> UInt8[np.ndarray, "count 3"]:
    """PASCAL VOC's colour of every id: the bits of the id spread over red, green and blue.

    Example:
        >>> palette(3).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    ids = np.arange(count)
    colours = np.zeros((count, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= (((ids >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def display_colours() -> UInt8[np.ndarray, "256 3"]:
    """VOC's colours, the dark ones lightened so that they differ visibly on an image."""
    colours = palette().astype(np.float32)
    level = colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    lift = np.clip((120 - level) / 255, 0, 1)[:, None]
    return (colours + lift * (255 - colours)).astype(np.uint8)


def colour_label(label: Integer[np.ndarray, "H W"]) -> Image.Image:
    """A label map as a palette PNG ("P" mode) in VOC's colours; the ids stay the pixel values."""
    height, width = label.shape
    coloured = Image.frombytes("P", (width, height), np.ascontiguousarray(label, dtype=np.uint8).tobytes())
    coloured.putpalette(palette().ravel().tolist())
    return coloured


def overlay(image: Image.Image, label: UInt8[np.ndarray, "H W"], scale: int) -> Image.Image:
    """The enlarged image with its labels laid over it.

    Objects have their class's colour, background is pale grey, void is hatched grey; outlines run along the label's own
    pixel edges, without smoothing.

    Args:
        image: RGB, already enlarged by `scale`.
        label: before enlarging.
        scale: whole factor between the two.
    """
    return lay(image, label, display_colours(), scale, void=VOID)


def lay(
    image: Image.Image,
    ids: Integer[np.ndarray, "H W"],
    colours: Integer[np.ndarray, "n 3"],
    scale: int,
    *,
    strength: float = 0.74,
    void: int | None = None,
) -> Image.Image:
    """As `overlay` with any colours: id i (0 is background) has `colours[i]`.

    Args:
        ids: before enlarging.
        strength: 0..1, share of the colour; the rest is the image's brightness.
        void: the id that is hatched; None for no such id.
    """
    big = np.kron(ids, np.ones((scale, scale), dtype=ids.dtype))
    grey = np.asarray(image.convert("L"), dtype=np.float32)[..., None]
    tint = colours[big].astype(np.float32)
    coloured = big > 0 if void is None else (big > 0) & (big != void)
    # Only the image's brightness shows through, or a red object would turn a blue class purple.
    mixed = np.where(coloured[..., None], strength * tint + (1 - strength) * grey, 0.28 * grey + 0.72 * 246)
    if void is not None:
        hidden = hatched(0.3 * grey[..., 0] + 0.7 * 215, scale)
        mixed = np.where((big == void)[..., None], hidden[..., None], mixed)
    mixed = np.where((outline(big) & coloured)[..., None], 0.4 * tint, mixed)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def hatched(ground: Float[np.ndarray, "H W"], scale: int) -> Float[np.ndarray, "H W"]:
    """Grey with dark slanted lines, which mark unknown pixels."""
    y, x = np.indices(ground.shape)
    return np.where(((x + y) // max(2, scale)) % 4 == 0, 110.0, ground)


def outline(label: Integer[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Where an object's pixel touches another id (up, down, left, right); background has no outline."""
    padded = np.pad(label, 1, mode="edge")
    touches = np.zeros(label.shape, dtype=bool)
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        touches |= padded[dy : dy + label.shape[0], dx : dx + label.shape[1]] != label
    return touches & (label > 0)

"""Labels as colours: PASCAL VOC's palette, palette PNGs, a label laid over its picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dataset_dm.labels.vocabulary import VOID


def palette(count: int = 256) -> np.ndarray:
    """PASCAL VOC's colour of every id, uint8 [count 3]: the bits of the id spread over red, green and blue.

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


def display_colours() -> np.ndarray:
    """VOC's colours, lightened where they are too dark to be told apart on a picture, uint8 [256 3]."""
    colours = palette().astype(np.float32)
    level = colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    lift = np.clip((120 - level) / 255, 0, 1)[:, None]
    return (colours + lift * (255 - colours)).astype(np.uint8)


def colour_label(label: np.ndarray) -> Image.Image:
    """A label map uint8 [H W] as a palette PNG ("P" mode) in VOC's colours; the ids stay the pixel values."""
    height, width = label.shape
    picture = Image.frombytes("P", (width, height), np.ascontiguousarray(label, dtype=np.uint8).tobytes())
    picture.putpalette(palette().ravel().tolist())
    return picture


def overlay(image: Image.Image, label: np.ndarray, scale: int) -> Image.Image:
    """The enlarged picture with its labels laid over it.

    Objects wear their class's colour, background is pale grey, void is hatched grey; outlines run along the label's own
    pixel edges, nothing is smoothed: what is stored is what is seen.

    Args:
        image: RGB, already enlarged by `scale`.
        label: uint8 [H W] before enlarging.
        scale: whole factor between the two.
    """
    return lay(image, label, display_colours(), scale, void=VOID)


def lay(image: Image.Image, ids: np.ndarray, colours: np.ndarray, scale: int, *, strength: float = 0.74,
        void: int | None = None) -> Image.Image:  # fmt: skip
    """As `overlay` with any colours: id i (0 is background) wears `colours[i]`, uint8 [n 3].

    Args:
        ids: whole numbers [H W] before enlarging.
        strength: 0..1, share of the colour; the rest is the picture's brightness.
        void: id that is hatched, if any.
    """
    big = np.kron(ids, np.ones((scale, scale), dtype=ids.dtype))
    grey = np.asarray(image.convert("L"), dtype=np.float32)[..., None]
    tint = colours[big].astype(np.float32)
    coloured = big > 0 if void is None else (big > 0) & (big != void)
    # Only the picture's brightness shows through, or a red object would turn a blue class purple.
    mixed = np.where(coloured[..., None], strength * tint + (1 - strength) * grey, 0.28 * grey + 0.72 * 246)
    if void is not None:
        hidden = hatched(0.3 * grey[..., 0] + 0.7 * 215, scale)
        mixed = np.where((big == void)[..., None], hidden[..., None], mixed)
    mixed = np.where((outline(big) & coloured)[..., None], 0.4 * tint, mixed)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def hatched(ground: np.ndarray, scale: int) -> np.ndarray:
    """Grey float [H W] with dark slanted lines: the sign for "not known"."""
    y, x = np.indices(ground.shape)
    return np.where(((x + y) // max(2, scale)) % 4 == 0, 110.0, ground)


def outline(label: np.ndarray) -> np.ndarray:
    """Where an object's pixel touches another id (up, down, left, right), bool [H W]; background has no outline."""
    padded = np.pad(label, 1, mode="edge")
    touches = np.zeros(label.shape, dtype=bool)
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        touches |= padded[dy : dy + label.shape[0], dx : dx + label.shape[1]] != label
    return touches & (label > 0)

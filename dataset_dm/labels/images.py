"""Images and label maps as PNG bytes, depth as TIFF bytes; label maps at another size."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float, Float32, Shaped, UInt8
from PIL import Image

# Level 1 takes a third of the time of Pillow's default and costs a tenth more bytes.
_EFFORT = 1


def encode_png(pixels: UInt8[np.ndarray, "H W 3"] | UInt8[np.ndarray, "H W"]) -> bytes:
    """An image [H W 3] as an RGB PNG, a label map [H W] as an L PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=_EFFORT)
    return buffer.getvalue()


def decode_png(data: bytes) -> Shaped[np.ndarray, "H W *channels"]:
    """The pixels of a PNG, in its own mode: uint8 [H W 3] or [H W]."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


def encode_depth(metres: Float[np.ndarray, "H W"]) -> bytes:
    """A depth map in float32 as a TIFF of mode F: exact to the last bit, and Pillow (so `datasets.Image`) reads it."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(metres, dtype=np.float32)).save(
        buffer, "TIFF", compression="tiff_adobe_deflate"
    )
    return buffer.getvalue()


def decode_depth(data: bytes) -> Float32[np.ndarray, "H W"]:
    """The depth map of such a TIFF."""
    return decode_png(data).astype(np.float32, copy=False)


def resize_nearest(values: Shaped[np.ndarray, "*maps H W"], size: tuple[int, int]) -> Shaped[np.ndarray, "*maps h w"]:
    """Maps at `size` (h, w): each pixel is the one in which its centre lies, on a border the right or lower one.

    >>> resize_nearest(np.array([[1, 2, 3, 4]]), (1, 2))
    array([[2, 4]])
    """
    rows, columns = (
        ((2 * np.arange(wanted) + 1) * pixels) // (2 * wanted)
        for wanted, pixels in zip(size, values.shape[-2:], strict=True)
    )
    return values[..., rows[:, None], columns[None]]

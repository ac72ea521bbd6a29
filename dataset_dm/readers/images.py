"""Image and mask files as arrays: images upright in RGB, ids as stored, SampleError for damaged files."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from dataset_dm.errors import reason_of
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.labelled import SampleError, check_size

IMAGE_TYPES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff")
MASK_TYPES = (".png", ".bmp", ".tif", ".tiff")
# pillow stretches grey PNGs of 2 and 4 bits to 0..255; ids must come out as they were stored
_STRETCHED = {"L;2": 85, "L;4": 17}
_TURNED = 0x0112  # EXIF tag of the orientation

Content = Path | bytes | Image.Image


def read_image(
    content: Content, name: str, size: tuple[int, int] | None = None, what: str | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """RGB uint8 [H W 3], turned upright as its EXIF says.

    Args:
        content: a file, its bytes, or an open image.
        name: what errors call the sample.
        size: (H, W) of its labels: when these were drawn on the stored pixels of a turned photograph, the image stays
            as stored, so that they fit.
        what: what errors call these labels; when given, the image must have their size.

    Raises:
        SampleError: truncated, no image, or of another size.
    """
    stored = open_image(content, name, "image")
    upright = _upright(stored)
    if size is not None and upright.size != size[::-1] and stored.size == size[::-1]:
        upright = stored
    if upright.mode.startswith("I"):  # 16-bit grey: pillow's own conversion cuts it off at 255
        values = np.asarray(upright)
        upright = Image.fromarray((values >> 8 if values.max() > 255 else values).astype(np.uint8))
    pixels = np.asarray(upright.convert("RGB"))
    if size is not None and what is not None:
        check_size(pixels, size, what, name)
    return pixels


def read_mask(content: Content, name: str) -> UInt8[np.ndarray, "H W"]:
    """Ids of a palette or grey image, or of one whose three channels are equal; SampleError for any other."""
    ids = read_ids(content, name)
    if ids.max(initial=0) > VOID:
        raise SampleError(
            "damaged file", f"{name}: mask has id {int(ids.max())}, expected 0..255; store class ids, not scores"
        )
    return ids.astype(np.uint8)


def read_ids(content: Content, name: str) -> Int64[np.ndarray, "H W"]:
    """Ids of a mask of 8 or 16 bits."""
    mask = open_image(content, name, "mask")
    factor = _STRETCHED.get(mask.info.get("stored as"), 1)
    mask = _upright(mask)
    if mask.mode in ("RGB", "RGBA"):
        colours = np.asarray(mask)[..., :3]
        if (colours != colours[..., :1]).any():
            raise _wrong_mode(name, mask.mode)
        return colours[..., 0].astype(np.int64)
    if mask.mode not in ("P", "L", "1") and not mask.mode.startswith("I"):
        raise _wrong_mode(name, mask.mode)
    ids = np.asarray(mask).astype(np.int64) // factor
    if ids.min(initial=0) < 0:
        raise SampleError("damaged file", f"{name}: mask has id {int(ids.min())}, expected 0 or more")
    return ids


def read_channels(content: Content, name: str) -> UInt8[np.ndarray, "H W 3"]:
    """The three channels of an RGB image whose values are ids."""
    image = open_image(content, name, "annotation")
    if image.mode not in ("RGB", "RGBA"):
        message = f"{name}: annotation has mode {image.mode}, expected RGB: the class in red, the instance in green"
        raise SampleError("damaged file", message)
    return np.asarray(image)[..., :3]


def open_image(content: Content, name: str, what: str) -> Image.Image:
    """The image with its pixels loaded; SampleError calling it `what` when it is truncated or no image.

    ``info["stored as"]`` keeps the layout of the stored pixels, which pillow drops on loading them.
    """
    try:
        data = content.read_bytes() if isinstance(content, Path) else content
        image = data if isinstance(data, Image.Image) else Image.open(BytesIO(data))
        tiles = getattr(image, "tile", None)
        stored = tiles[0][3] if tiles and image.format == "PNG" else None
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        message = f"{name}: {what} cannot be read ({reason_of(error)}); it is truncated or no image, replace it"
        raise SampleError("damaged file", message) from error
    if isinstance(stored, str):
        image.info["stored as"] = stored
    return image


def _upright(image: Image.Image) -> Image.Image:
    return image if image.getexif().get(_TURNED, 1) == 1 else ImageOps.exif_transpose(image)


def _wrong_mode(name: str, mode: str) -> SampleError:
    expected = "a palette or grey image of class ids; convert colours to ids first"
    return SampleError("damaged file", f"{name}: mask has mode {mode}, expected {expected}")

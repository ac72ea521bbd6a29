"""Image and mask files as arrays: upright, RGB, ids as they are stored, one clear line for what cannot be read."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.labelled import SampleError

IMAGE_TYPES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff")
MASK_TYPES = (".png", ".bmp", ".tif", ".tiff")
# pillow stretches grey PNGs of 2 and 4 bits to 0..255; ids must come out as they were stored
_STRETCHED = {"L;2": 85, "L;4": 17}
_TURNED = 0x0112  # EXIF tag of the orientation

Content = Path | bytes | Image.Image


def read_image(content: Content, name: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """RGB uint8 [H W 3], turned upright as its EXIF says.

    Args:
        content: a file, its bytes, or an open picture.
        name: what errors call the sample.
        size: (H, W) of its labels: when these were drawn on the stored pixels of a turned photograph, the image stays
            as stored, so that they fit.

    Raises:
        SampleError: truncated, or no picture.
    """
    stored = open_picture(content, name, "image")
    upright = _upright(stored)
    if size is not None and upright.size != size[::-1] and stored.size == size[::-1]:
        upright = stored
    if upright.mode.startswith("I"):  # 16-bit grey: pillow's own conversion cuts it off at 255
        values = np.asarray(upright)
        upright = Image.fromarray((values >> 8 if values.max() > 255 else values).astype(np.uint8))
    return np.asarray(upright.convert("RGB"))


def read_mask(content: Content, name: str) -> np.ndarray:
    """Ids uint8 [H W] of a palette or grey picture, or of one whose three channels are equal; SampleError else."""
    ids = read_ids(content, name)
    if ids.max(initial=0) > VOID:
        raise SampleError(
            "damaged file", f"{name}: mask has id {int(ids.max())}, expected 0..255; store class ids, not scores"
        )
    return ids.astype(np.uint8)


def read_ids(content: Content, name: str) -> np.ndarray:
    """Ids int64 [H W], also of 16-bit masks."""
    picture = open_picture(content, name, "mask")
    factor = _STRETCHED.get(picture.info.get("stored as"), 1)
    picture = _upright(picture)
    if picture.mode in ("RGB", "RGBA"):
        colours = np.asarray(picture)[..., :3]
        if (colours != colours[..., :1]).any():
            raise _wrong_mode(name, picture.mode)
        return colours[..., 0].astype(np.int64)
    if picture.mode not in ("P", "L", "1") and not picture.mode.startswith("I"):
        raise _wrong_mode(name, picture.mode)
    ids = np.asarray(picture).astype(np.int64) // factor
    if ids.min(initial=0) < 0:
        raise SampleError("damaged file", f"{name}: mask has id {int(ids.min())}, expected 0 or more")
    return ids


def read_channels(content: Content, name: str) -> np.ndarray:
    """The three channels of an RGB picture whose values are ids, uint8 [H W 3]."""
    picture = open_picture(content, name, "annotation")
    if picture.mode not in ("RGB", "RGBA"):
        message = f"{name}: annotation has mode {picture.mode}, expected RGB: the class in red, the instance in green"
        raise SampleError("damaged file", message)
    return np.asarray(picture)[..., :3]


def open_picture(content: Content, name: str, what: str) -> Image.Image:
    """The picture with its pixels read; SampleError calling it `what` when it is truncated or no picture.

    ``info["stored as"]`` keeps the layout of the stored pixels, which pillow forgets on reading them.
    """
    try:
        data = content.read_bytes() if isinstance(content, Path) else content
        picture = data if isinstance(data, Image.Image) else Image.open(BytesIO(data))
        tiles = getattr(picture, "tile", None)
        stored = tiles[0][3] if tiles and picture.format == "PNG" else None
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        reason = " ".join(str(error).split())[:120]
        raise SampleError(
            "damaged file",
            f"{name}: {what} cannot be read ({reason}); it is truncated or no picture, replace it",
        ) from error
    if isinstance(stored, str):
        picture.info["stored as"] = stored
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    if picture.getexif().get(_TURNED, 1) == 1:
        return picture
    return ImageOps.exif_transpose(picture)


def _wrong_mode(name: str, mode: str) -> SampleError:
    return SampleError(
        "damaged file",
        f"{name}: mask has mode {mode}, expected a palette or grey picture of class ids; convert colours to ids first",
    )

"""Depth files as metres: 16-bit PNG with a stated scale, PFM, npy, float TIFF."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from dataset_dm.errors import reason_of
from dataset_dm.readers.images import open_image
from dataset_dm.readers.labelled import SampleError

DEPTH_TYPES = (".png", ".pfm", ".npy", ".tif", ".tiff")
_REASON = "impossible depth"


def read_depth(
    content: Path | bytes, name: str, scale: float | None = None, unit: float | None = None
) -> Float32[np.ndarray, "H W"]:
    """Metres along the optical axis; 0 unknown.

    Args:
        content: a file or its bytes.
        name: what errors call the sample.
        scale: metres of one unit, stated by the user; None for the file's usual meaning.
        unit: metres of one unit of whole numbers when `scale` is None; floating point numbers are then metres.

    Raises:
        SampleError: damaged, not one number a pixel, or a depth that is NaN, infinite or negative.
    """
    data = _bytes(content, name)
    if data[:6] == b"\x93NUMPY":
        values = _read_npy(data, name)
    elif data[:2] in (b"Pf", b"PF"):
        values = read_pfm(data, name)
    else:
        values = np.asarray(open_image(data, name, "depth"))
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        message = f"{name}: depth has shape {values.shape} of {values.dtype}, expected one number a pixel"
        raise SampleError(_REASON, message)
    metres = values.astype(np.float64) * _scale(values, name, scale, unit)
    wrong = ~np.isfinite(metres) | (metres < 0)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        message = (
            f"{name}: depth is {values[row, column]} in row {row}, column {column}, expected metres of 0 or more; "
            "write 0 where it is unknown"
        )
        raise SampleError(_REASON, message)
    return metres.astype(np.float32)


def read_pfm(data: bytes, name: str) -> Float32[np.ndarray, "H W"]:
    """A grey portable float map; rows are stored bottom up, a negative scale means little-endian.

    The size of the scale is ignored, as readers of that format do.
    """
    try:
        kind, size, endian, body = _pfm_parts(data)
        width, height = (int(side) for side in size)
        values = np.frombuffer(body, "<f4" if float(endian) < 0 else ">f4")
    except ValueError as error:
        raise SampleError("damaged file", f"{name}: depth cannot be read as PFM ({error}); replace it") from error
    if kind != b"Pf":
        raise SampleError(_REASON, f"{name}: depth is a colour PFM, expected a grey one (Pf)")
    if width < 1 or height < 1 or len(values) != width * height:
        message = f"{name}: depth has {len(values)} numbers, its header states {width}×{height}; it is truncated"
        raise SampleError("damaged file", message)
    return values.reshape(height, width)[::-1].astype(np.float32)


def _pfm_parts(data: bytes) -> tuple[bytes, list[bytes], bytes, bytes]:
    parts = data.split(b"\n", 3)
    if len(parts) != 4:
        raise ValueError("its header is incomplete")
    kind, size, endian, body = parts
    return kind.strip(), size.split(), endian, body


def _scale(values: np.ndarray, name: str, scale: float | None, unit: float | None) -> float:
    if scale is not None:
        return scale
    if values.dtype.kind == "f":
        return 1.0
    if values.dtype.itemsize == 1 or unit is None:
        bits = 8 * values.dtype.itemsize
        message = f"{name}: depth has whole numbers of {bits} bits, nothing says how many metres one is; "
        raise SampleError(_REASON, message + "state it with depth_scale=")
    return unit


def _bytes(content: Path | bytes, name: str) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError as error:
        raise SampleError("missing file", f"{name}: depth cannot be read ({error.strerror}: {content})") from error


def _read_npy(data: bytes, name: str) -> np.ndarray:
    try:
        return np.load(BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise SampleError("damaged file", f"{name}: depth cannot be read ({reason_of(error)}); replace it") from error

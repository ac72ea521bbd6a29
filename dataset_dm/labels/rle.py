"""Masks in COCO's run-length form, and their boxes; thin over pycocotools, so that holes and loose parts survive.

A form is `{"size": [h, w], "counts": …}` with counts as compressed text, or as the list of runs that crowds have.

>>> decode(encode(mask)).tolist() == mask.tolist()
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool
from pycocotools import mask as coco

Form = dict[str, Any]


def encode(mask: Bool[np.ndarray, "H W"]) -> Form:
    """The compressed form of one mask; counts are text, as in COCO's JSON files."""
    assert mask.ndim == 2, f"one mask a time, got shape {mask.shape}"
    return _as_text(coco.encode(np.asfortranarray(mask, dtype=np.uint8)))


def decode(form: Mapping[str, Any]) -> Bool[np.ndarray, "H W"]:
    """The mask of a compressed or uncompressed form.

    Raises ValueError when the runs do not fill the stated size.
    """
    # not by pycocotools: its decoder warns under numpy 2
    (height, width), runs = _read(form)
    return (np.repeat(np.arange(len(runs)) % 2, runs) == 1).reshape((height, width), order="F")


def from_polygons(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> Form:
    """The compressed form of the union of polygons, each x, y, x, y, … in pixels, on an image of `size` (h, w).

    Raises ValueError for no polygon, or one with fewer than three points or an odd number of values.
    """
    if not polygons:
        raise ValueError("polygons: got none, expected at least one")
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"polygon: got {len(polygon)} values, expected x and y of at least three points")
    height, width = size
    # pycocotools takes a polygon of four values for a box: ruled out above
    parts = coco.frPyObjects([[float(value) for value in polygon] for polygon in polygons], height, width)
    return _as_text(coco.merge(parts))


def box(mask: Bool[np.ndarray, "H W"]) -> tuple[float, float, float, float]:
    """x, y, w, h in pixels, tight on a mask: x is the left column, w the columns; all 0 when empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return 0.0, 0.0, 0.0, 0.0
    left, top = columns[0], rows[0]
    return float(left), float(top), float(columns[-1] - left + 1), float(rows[-1] - top + 1)


def _read(form: Mapping[str, Any]) -> tuple[tuple[int, int], list[int]]:
    """Size (h, w) and runs of either form, empty first, column by column."""
    height, width = (int(side) for side in form["size"])
    counts = form["counts"]
    if isinstance(counts, (str, bytes)):
        runs = _runs(counts.encode("ascii") if isinstance(counts, str) else counts)
    else:
        runs = [int(run) for run in counts]
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise ValueError(f"RLE: runs add up to {sum(runs)}, expected {height * width} ({height} x {width})")
    return (height, width), runs


def _runs(counts: bytes) -> list[int]:
    """The runs of a compressed form: groups of five bits, with a sixth bit set when more follow; from the fourth run
    on each is stored as its difference to the last but one (COCO's mask API)."""
    runs: list[int] = []
    value, shift = 0, 0
    for byte in counts:
        group = byte - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value, shift = 0, 0
    return runs


def _as_text(form: Mapping[str, Any]) -> Form:
    return {"size": [int(side) for side in form["size"]], "counts": form["counts"].decode("ascii")}

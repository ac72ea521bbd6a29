"""Masks as polygons along the edges of their pixels, and back, without loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped

from dataset_dm.labels.file_instance import Size


def outlines(mask: Bool[np.ndarray, "H W"]) -> list[Int64[np.ndarray, "_ 2"]]:
    """The closed outlines of every part and every hole of a mask, each a list of (x, y).

    A point is a corner of a pixel: 0, 0 is the upper left corner of the image, W, H its lower right one.
    """
    follows = _edges(np.pad(mask, 1))
    rings = []
    while follows:
        start = here = next(iter(follows))
        ring = []
        while True:
            ring.append(here)
            after = follows[here]
            here_next = after.pop()
            if not after:
                del follows[here]
            here = here_next
            if here == start:
                break
        rings.append(_corners(np.array(ring, np.int64)))
    return rings


def joined(rings: Sequence[Shaped[np.ndarray, "_ 2"]]) -> Float64[np.ndarray, "n 2"]:
    """One polygon of several outlines, joined by cuts that run there and back.

    Filled by the even-odd rule it covers the same pixels as the outlines: a cut has no width.
    """
    polygon = np.asarray(rings[0], np.float64)
    waiting = [np.asarray(ring, np.float64) for ring in rings[1:]]
    while waiting:
        gaps = [_nearest(polygon, ring) for ring in waiting]
        chosen = min(range(len(waiting)), key=lambda position: gaps[position][0])
        _, here, there = gaps[chosen]
        ring = np.roll(waiting.pop(chosen), -there, axis=0)
        polygon = np.concatenate([polygon[: here + 1], ring, ring[:1], polygon[here:]])
    return polygon


def fill(polygon: Shaped[np.ndarray, "n 2"], size: Size) -> Bool[np.ndarray, "H W"]:
    """The pixels whose centre lies inside a polygon of (x, y), by the even-odd rule."""
    height, width = size
    crossings = np.zeros((height, width + 1), np.int64)
    start = np.asarray(polygon, np.float64)
    for (x0, y0), (x1, y1) in zip(start, np.roll(start, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        # rows whose centre lies in y0 <= y < y1
        rows = np.arange(*np.clip(np.ceil([y0 - 0.5, y1 - 0.5]), 0, height).astype(int))
        x = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        crossings[rows, np.clip(np.ceil(x - 0.5), 0, width).astype(int)] += 1
    return np.cumsum(crossings, axis=1)[:, :width] % 2 == 1


def _edges(padded: np.ndarray) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Corner → the next corners on outlines that have the mask on their right."""
    follows: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    filled = padded[1:-1, 1:-1]
    # (dy, dx) of an empty neighbour, then the ends of the edge relative to the pixel's corner
    sides = (
        ((-1, 0), (0, 0), (1, 0)),
        ((0, 1), (1, 0), (1, 1)),
        ((1, 0), (1, 1), (0, 1)),
        ((0, -1), (0, 1), (0, 0)),
    )
    for (dy, dx), (ax, ay), (bx, by) in sides:
        height, width = filled.shape
        neighbour = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        for y, x in np.argwhere(filled & ~neighbour).tolist():
            follows[x + ax, y + ay].append((x + bx, y + by))
    return dict(follows)


def _corners(ring: np.ndarray) -> np.ndarray:
    """The ring without the points inside its straight segments."""
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    straight = ((before == ring) & (ring == after)).any(axis=1)
    return ring[~straight]


def _nearest(polygon: np.ndarray, ring: np.ndarray) -> tuple[float, int, int]:
    """(squared distance, place in the polygon, place in the ring) of their nearest points."""
    gaps = ((polygon[:, None] - ring[None]) ** 2).sum(axis=-1)
    here, there = np.unravel_index(int(gaps.argmin()), gaps.shape)
    return float(gaps[here, there]), int(here), int(there)

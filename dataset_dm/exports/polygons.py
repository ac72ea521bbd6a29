"""Masks as polygons along the edges of their pixels, and back: nothing is simplified, so nothing is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The closed outlines of a mask, bool [H W]: of every part and of every hole, each int64 [n 2] of (x, y).

    A point is a corner of a pixel: 0, 0 is the picture's upper left corner, W, H its lower right one.
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


def joined(rings: Sequence[np.ndarray]) -> np.ndarray:
    """One polygon of several outlines, float64 [n 2], tied together by cuts that run there and back again.

    Filled by the even-odd rule it shows what the outlines show together: a cut has no width.
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


def fill(polygon: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """bool [H W]: the pixels whose centre lies inside of a polygon, float [n 2] of (x, y), by the even-odd rule."""
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
    """Corner → the corners that outlines run to from there, the mask on their right."""
    follows: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    filled = padded[1:-1, 1:-1]
    # where the neighbour is empty: (dy, dx) of the neighbour, then the edge's ends relative to the pixel's corner
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
    """The ring without the points on its straight stretches."""
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    straight = ((before == ring) & (ring == after)).any(axis=1)
    return ring[~straight]


def _nearest(polygon: np.ndarray, ring: np.ndarray) -> tuple[float, int, int]:
    """(squared distance, place in the polygon, place in the ring) of their nearest points."""
    gaps = ((polygon[:, None] - ring[None]) ** 2).sum(axis=-1)
    here, there = np.unravel_index(int(gaps.argmin()), gaps.shape)
    return float(gaps[here, there]), int(here), int(there)

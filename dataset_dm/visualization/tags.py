"""Name tags of boxes ("chair 0.87"), laid where they hide least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from dataset_dm.visualization.text import fit, font

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom in pixels
CROWDED = 0.1  # a tag that would hide more of another than this is left out
BURIED = 0.6  # nor may a tag hide more of an object than this, its own included
MOST = 0.12  # share of the image that tags may cover before they shrink


def place(boxes: Sequence[Rectangle], sizes: Sequence[tuple[float, float]], frame: tuple[int, int]) -> list[Rectangle]:
    """The rectangle of each tag, in the boxes' order; an empty one for a tag without room.

    Tags of small boxes are placed first: above the box, below it or in one of its corners, whichever hides least; other
    tags weigh most, then other boxes, then the own box. A tag that would hide too much is left out.

    Args:
        boxes: what the tags belong to.
        sizes: (w, h) of every tag.
        frame: (w, h) of the image; no tag leaves it.
    """
    placed: dict[int, Rectangle] = {}
    by_area = sorted(range(len(boxes)), key=lambda i: _area(boxes[i]))
    for i in by_area:
        others = [boxes[j] for j in by_area if j != i]
        best, least = (0.0, 0.0, 0.0, 0.0), float("inf")
        for order, spot in enumerate(_spots(boxes[i], sizes[i], frame)):
            hidden = max((_shared(spot, tag) / min(_area(tag), _area(spot)) for tag in placed.values()), default=0)
            buried = max(_shared(spot, box) / max(_area(box), 1) for box in boxes)
            if hidden > CROWDED or buried > BURIED:
                continue
            covered = sum(_shared(spot, other) / max(min(_area(other), 4 * _area(spot)), 1) for other in others)
            cost = 10 * hidden + covered + 0.3 * _shared(spot, boxes[i]) / _area(spot) + 0.02 * order
            if cost < least:
                best, least = spot, cost
        if least < float("inf"):
            placed[i] = best
    return [placed.get(i, (0.0, 0.0, 0.0, 0.0)) for i in range(len(boxes))]


def draw_tags(
    image: Image.Image,
    boxes: Sequence[Rectangle],
    names: Sequence[str],
    scores: Float[np.ndarray, " n"] | None,
    colours: UInt8[np.ndarray, "n 3"],
) -> None:
    """Writes a tag for every box onto `image`, in its colour, in black or white ink.

    Where objects crowd, tags shrink and then show the score alone (the colour stands for the class).
    """
    draw = ImageDraw.Draw(image)
    texts, face = _lettering(names, scores, image.size)
    sizes = [_size(text, face) for text in texts]
    for text, colour, spot in zip(texts, colours.tolist(), place(boxes, sizes, image.size), strict=True):
        if _area(spot) == 0:
            continue
        bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140
        edge = tuple(int(0.45 * c) for c in colour)
        draw.rounded_rectangle((spot[0], spot[1], spot[2] - 1, spot[3] - 1), 2, tuple(colour), edge)
        middle = (spot[1] + spot[3]) / 2
        draw.text((spot[0] + 3, middle), text, (15, 18, 22) if bright else (255, 255, 255), face, "lm")


def _lettering(
    names: Sequence[str], scores: np.ndarray | None, frame: tuple[int, int]
) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """Texts and font: the fullest that covers no more than `MOST` of the image, else the shortest."""
    full = list(names) if scores is None else [f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True)]
    short = full if scores is None else [f"{score:.2f}".lstrip("0") for score in scores]
    for texts, size in ((full, 13), (full, 11), (short, 11), (short, 10)):
        face = font(size)
        texts = [fit(text, face, frame[0] - 8) for text in texts]
        covered = sum(width * height for width, height in (_size(text, face) for text in texts))
        if covered <= MOST * frame[0] * frame[1]:
            break
    return texts, face


def _size(text: str, face: ImageFont.FreeTypeFont) -> tuple[float, float]:
    """(w, h) of a tag in pixels."""
    return face.getlength(text) + 6, float(face.size + 4)


def _spots(box: Rectangle, size: tuple[float, float], frame: tuple[int, int]) -> list[Rectangle]:
    """The possible rectangles of a tag: above, below and in the corners of its box, moved into the frame."""
    (left, top, right, bottom), (width, height) = box, size
    corners = [
        (left, top - height),
        (left, top),
        (right - width, top - height),
        (left, bottom),
        (right - width, top),
        (right - width, bottom),
        (left, bottom - height),
        (right - width, bottom - height),
        (right, top),
        (left - width, top),
        ((left + right - width) / 2, (top + bottom - height) / 2),
    ]
    spots = []
    for x, y in corners:
        x, y = min(max(x, 0), frame[0] - 1 - width), min(max(y, 0), frame[1] - 1 - height)
        spots.append((x, y, x + width, y + height))
    return spots


def _area(box: Rectangle) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _shared(one: Rectangle, two: Rectangle) -> float:
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    return max(0.0, width) * max(0.0, height)

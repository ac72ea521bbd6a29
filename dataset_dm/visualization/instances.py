"""What is drawn of the objects of a picture: outlines where there are any, else boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset_dm.labels.records import Objects
from dataset_dm.labels.rle import box
from dataset_dm.visualization.oklab import to_oklab, to_rgb
from dataset_dm.visualization.overlay import display_colours

# Lightness, chroma and hue (degrees) of the 1st, 2nd, 3rd… object of a class, against the class's own colour.
TINTS = ((0, 1, 0), (0.13, 0.85, 22), (-0.15, 1.05, -18), (0.06, 1.15, -34), (-0.07, 0.8, 38), (0.19, 0.7, -8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Objects as they are drawn; other than in `records.Objects` masks may overlap, be empty or missing.

    Args:
        classes: int64 [n], i + 1 is the i-th class.
        boxes: float32 [n 4] of (x, y, w, h) in pixels, x the left column, w the columns.
        masks: bool [n H W]; an object whose mask is empty shows its box alone. None: all do.
        scores: float32 [n] in 0..1, or None.
        keypoints: float32 [n 17 3] of (x, y, v) as in `records.Objects`, or None.
    """

    classes: np.ndarray
    boxes: np.ndarray
    masks: np.ndarray | None = None
    scores: np.ndarray | None = None
    keypoints: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.classes)

    def unscored(self) -> Things:
        """The same without scores: a truth has none to show."""
        return replace(self, scores=None)

    @classmethod
    def of(cls, objects: Objects | Things) -> Things:
        """The objects of an annotation with their tight boxes; things as they are."""
        if isinstance(objects, Things):
            return objects
        boxes = np.array([box(mask) for mask in objects.masks], dtype=np.float32).reshape(-1, 4)
        return cls(
            classes=objects.classes,
            boxes=boxes,
            masks=objects.masks,
            scores=objects.scores,
            keypoints=objects.keypoints,
        )

    def numbers(self, size: tuple[int, int]) -> np.ndarray:
        """int32 [H W]: 0 nothing, i + 1 the i-th object; where masks overlap the smaller one keeps the pixel."""
        numbers = np.zeros(size, dtype=np.int32)
        if self.masks is not None:
            for i in np.argsort(-self.masks.sum(axis=(1, 2)), kind="stable"):
                numbers[self.masks[i]] = i + 1
        return numbers


def tints(classes: Sequence[int] | np.ndarray) -> np.ndarray:
    """A colour for each object, uint8 [n 3]: its class's own, turned and lightened from one of a class to the next.

    Example:
        >>> (tints([7, 7, 7])[0] == display_colours()[7]).all()
        True
    """
    seen: dict[int, int] = {}
    colours = []
    for i in (int(c) for c in classes):
        order = seen.get(i, 0)
        seen[i] = order + 1
        base = display_colours()[i % 256]
        colours.append(_tint(base, TINTS[order % len(TINTS)]) if order % len(TINTS) else base)
    return np.array(colours, dtype=np.uint8).reshape(-1, 3)


def _tint(colour: np.ndarray, step: tuple[float, float, float]) -> np.ndarray:
    lightness, a, b = to_oklab(colour)
    turn = np.deg2rad(step[2])
    a, b = step[1] * (a * np.cos(turn) - b * np.sin(turn)), step[1] * (a * np.sin(turn) + b * np.cos(turn))
    # a class colour near black or white still leaves room for its tints
    return to_rgb(np.array([np.clip(lightness + step[0], 0.35, 0.93), a, b]))

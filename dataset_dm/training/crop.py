"""A window on a labelled image: crop, zoom and flip of its pixels and of every kind of label at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Shaped
from PIL import Image

from dataset_dm.labels.coco import MIRRORED
from dataset_dm.labels.instances import IGNORED
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.readers.labelled import LabelledImage


@dataclass(frozen=True)
class View:
    """The part of an image that is shown, and its size.

    Args:
        size: (H, W) of the result.
        window: (top, left, height, width) in pixels of the image; it may reach beyond, where the
            pixels are mirrored and nothing is labelled (no generator makes images with a plain border).
        flip: mirrored left to right.
    """

    size: tuple[int, int]
    window: tuple[int, int, int, int]
    flip: bool = False

    def apply(self, sample: LabelledImage) -> LabelledImage:
        """The image and all its labels through this window.

        Depth is divided by the zoom: the same camera would see an object twice as large from half the distance. That is
        a guess (it would also see more of the ground), so depth is no longer metric. Joints outside the window are
        outside the image.
        """
        height, width = sample.image.shape[:2]
        instances = None
        if sample.instances is not None:
            points = sample.instances.keypoints
            instances = replace(
                sample.instances,
                map=self._labels(sample.instances.map, IGNORED),
                keypoints=None if points is None else self.points(points),
            )
        depth = None
        if sample.depth is not None:
            zoom = np.sqrt(height / self.window[2] * width / self.window[3])
            depth = self._labels(sample.depth, np.nan) / np.float32(zoom)
        return replace(
            sample,
            image=resize(self._cut(sample.image, mirror=True), self.size, smooth=True),
            label=None if sample.label is None else self._labels(sample.label, VOID),
            instances=instances,
            depth=depth,
            metric=sample.metric and self.window == (0, 0, height, width),
        )

    def points(self, points: Float[np.ndarray, "n 17 3"]) -> Float32[np.ndarray, "n 17 3"]:
        """Keypoints in pixels of the image → in pixels of the view; those outside get v = 0 and no place."""
        top, left, height, width = self.window
        moved = points.astype(np.float32).copy()
        moved[..., 0] = (points[..., 0] - left) * (self.size[1] / width)
        moved[..., 1] = (points[..., 1] - top) * (self.size[0] / height)
        inside = (moved[..., 0] >= 0) & (moved[..., 0] < self.size[1])
        inside &= (moved[..., 1] >= 0) & (moved[..., 1] < self.size[0]) & (points[..., 2] > 0)
        if self.flip:
            moved[..., 0] = self.size[1] - moved[..., 0]
            moved, inside = moved[:, MIRRORED], inside[:, MIRRORED]
        return np.where(inside[..., None], moved, np.float32(0))

    def _labels(self, values: np.ndarray, outside: float) -> np.ndarray:
        return resize(self._cut(values, outside=outside), self.size, smooth=False)

    def _cut(self, values: np.ndarray, *, mirror: bool = False, outside: float = 0) -> np.ndarray:
        top, left, height, width = self.window
        size = values.shape[:2]
        pad = ((max(0, -top), max(0, top + height - size[0])), (max(0, -left), max(0, left + width - size[1])))
        if any(map(any, pad)):
            margins = (*pad, *[(0, 0)] * (values.ndim - 2))
            options = {"mode": "symmetric"} if mirror else {"constant_values": outside}
            values = np.pad(values, margins, **options)
        top, left = top + pad[0][0], left + pad[1][0]
        part = values[top : top + height, left : left + width]
        return part[:, ::-1] if self.flip else part


def full_view(image_size: tuple[int, int], size: tuple[int, int]) -> View:
    """The view of a complete image."""
    return View(tuple(size), (0, 0, *image_size))


def resize(
    values: Shaped[np.ndarray, "h w *channels"], size: tuple[int, int], *, smooth: bool
) -> Shaped[np.ndarray, "H W *channels"]:
    """An image or a map at (H, W): bilinear for colours, the nearest pixel for labels and depth."""
    if values.shape[:2] == tuple(size):
        return np.ascontiguousarray(values)
    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize((size[1], size[0]), how))

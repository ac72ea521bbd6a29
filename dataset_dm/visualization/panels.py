"""One panel of a tile for every kind of label: class map, instances, depth, skeletons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Real, UInt8
from PIL import Image, ImageDraw

from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.images import resize_nearest
from dataset_dm.labels.instances import Instances
from dataset_dm.visualization.depth import Scale, colour_depth
from dataset_dm.visualization.instances import tints
from dataset_dm.visualization.legend import class_name
from dataset_dm.visualization.overlay import lay, overlay
from dataset_dm.visualization.skeleton import draw_skeletons
from dataset_dm.visualization.tags import draw_tags

TITLES = {"semantic": "classes", "instance": "objects", "depth": "depth", "pose": "keypoints"}


@dataclass(frozen=True)
class View:
    """An image at the size of its panel: labels are resized to `size` (w, h), then enlarged `scale`-fold."""

    image: Image.Image
    size: tuple[int, int]
    scale: int
    ratio: tuple[float, float]  # shown pixels for one of the sample's own, along x and y

    @classmethod
    def of(cls, image: UInt8[np.ndarray, "H W 3"], wanted: int) -> View:
        """The image at about `wanted` pixels: enlarged by a whole factor, or shrunk when far larger."""
        shown = Image.fromarray(image)
        scale = max(1, round(wanted / max(shown.size)))
        size = shown.size
        if max(size) > 1.5 * wanted:
            size = (max(1, round(size[0] * wanted / max(size))), max(1, round(size[1] * wanted / max(size))))
            shown = shown.resize(size, Image.Resampling.LANCZOS)
        shown = shown.resize((size[0] * scale, size[1] * scale), Image.Resampling.BICUBIC)
        ratio = (shown.width / image.shape[1], shown.height / image.shape[0])
        return cls(shown, size, scale, ratio)

    def thin(self, values: Real[np.ndarray, "H W"]) -> Real[np.ndarray, "h w"]:
        """A label at `size`, before enlarging."""
        return resize_nearest(values, self.size[::-1])


def draw(kind: str, view: View, label: Any, names: Sequence[str], scale: Scale | None) -> Image.Image:
    """The panel of a kind of label (a task's name) over the image of a view; `scale` is the depth's."""
    if kind == "semantic":
        return overlay(view.image, view.thin(label), view.scale)
    if kind == "depth":
        return colour_depth(view.thin(label), scale, view.scale)
    return draw_instances(view, label, names) if kind == "instance" else _poses(view, label)


def draw_instances(view: View, instances: Instances, names: Sequence[str]) -> Image.Image:
    """Every instance in its tint with outline, box and tag; boxes alone leave the image as it is."""
    boxes_alone = len(instances) > 0 and not (instances.map > 0).any()
    panel = view.image.copy() if boxes_alone else fill(view, instances)
    return draw_boxes(panel, view, instances, names, strength=1 if boxes_alone else 0.8)


def fill(view: View, instances: Instances) -> Image.Image:
    """Every instance in its tint with an outline, the rest of the image pale."""
    colours = np.concatenate([np.zeros((1, 3), np.uint8), tints(instances.classes)])
    return lay(view.image, view.thin(np.maximum(instances.map, 0)), colours, view.scale, strength=0.66)


def draw_boxes(
    panel: Image.Image, view: View, instances: Instances, names: Sequence[str], *, strength: float = 1
) -> Image.Image:
    """A copy of a panel with the box of every instance, its tint times `strength`, and its tag."""
    panel = panel.copy()
    colours = tints(instances.classes)
    x, y = view.ratio
    frames = [(left * x, top * y, (left + w) * x, (top + h) * y) for left, top, w, h in instances.bounds().tolist()]
    pen = ImageDraw.Draw(panel)
    for frame, colour in zip(frames, colours.tolist(), strict=True):
        # the line lies just outside of the box's pixels, inside the panel
        left, top = max(frame[0] - 2, 0), max(frame[1] - 2, 0)
        right, bottom = min(frame[2] + 1, panel.width - 1), min(frame[3] + 1, panel.height - 1)
        if right > left and bottom > top:
            pen.rectangle((left, top, right, bottom), None, tuple(int(strength * c) for c in colour), 2)
    draw_tags(panel, frames, [class_name(int(i), names) for i in instances.classes], instances.scores, colours)
    return panel


def _poses(view: View, instances: Instances) -> Image.Image:
    """Skeletons over the image, greyed a little so that their colours stand out."""
    grey = view.image.convert("L").convert("RGB")
    ground = Image.blend(Image.blend(view.image, grey, 0.6), Image.new("RGB", grey.size, (236, 238, 240)), 0.35)
    points = np.zeros((0, JOINTS, 3)) if instances.keypoints is None else instances.keypoints * (*view.ratio, 1)
    return draw_skeletons(ground, points, 1)

"""Draws a sample as titled panels of one size, with the labels of one annotator or of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from dataset_dm.visualization import panels
from dataset_dm.visualization.depth import Scale
from dataset_dm.visualization.overlay import lay
from dataset_dm.visualization.row import Row
from dataset_dm.visualization.skeleton import draw_skeletons

# kind (a task's name) → name of its panel
KINDS = {"semantic": "classes", "instance": "objects", "depth": "depth"}
IMAGE, DIFFERENCES = "image", "differences"
PANELS = (IMAGE, *KINDS.values(), DIFFERENCES)
BOXES, SKELETONS = "boxes", "skeletons"
LINES = (BOXES, SKELETONS)
SIDES = {"small": 192, "medium": 256, "large": 384, "huge": 640}  # pixels, about
_DIFFERENT = (214, 39, 96)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Which labels of a sample are drawn, and how.

    Args:
        panels: names of PANELS; those without a label are left out, and without any the image is shown.
        lines: names of LINES, drawn over every label, and over the image when it is the only panel.
        side: approximate length of a panel's longer side in pixels.
    """

    panels: tuple[str, ...]
    lines: tuple[str, ...] = ()
    side: int = SIDES["medium"]

    def columns(self, tasks: Sequence[str]) -> list[str]:
        """The needed columns of labels, in a set with labels of these kinds."""
        objects = bool({"objects", *self.lines} & {*self.panels, *self.lines})
        needed = {
            "label": ("classes" in self.panels or DIFFERENCES in self.panels) and "semantic" in tasks,
            "objects": objects,
            "annotation": objects,
            "depth_map": "depth" in self.panels,
        }
        return [name for name, is_needed in needed.items() if is_needed]


def draw_sample(
    rows: Mapping[str, Row], look: Look, names: Mapping[str, Sequence[str]], scale: Scale | None
) -> list[tuple[str, Image.Image]]:
    """(title, image) of every panel, all of one size.

    Args:
        rows: annotator → the same image with its labels; "" for a single annotator.
        names: annotator → the names of its ids, background first.
        scale: colours of depth.
    """
    first = next(iter(rows.values()))
    view = panels.View.of(first.image, look.side)
    drawn: list[tuple[str, Image.Image]] = []
    for kind, title in KINDS.items():
        if title not in look.panels:
            continue
        for mark, row in rows.items():
            label = row.labels().get(kind)
            if label is not None:
                panel = _ground(kind, view, label, scale, look, names[mark])
                drawn.append((f"{mark} {title}".strip(), _lines(panel, view, row, kind, look, names[mark])))
    if DIFFERENCES in look.panels and (apart := differing(list(rows.values()))) is not None:
        drawn.append((DIFFERENCES, lay(view.image, view.thin(apart), np.array([(0, 0, 0), _DIFFERENT]), view.scale)))
    if drawn:
        return [(IMAGE, view.image), *drawn] if IMAGE in look.panels else drawn
    if not look.lines:
        return [(IMAGE, view.image)]
    return [
        (f"{mark} {IMAGE}".strip(), _lines(view.image, view, row, "", look, names[mark])) for mark, row in rows.items()
    ]


def differing(rows: Sequence[Row]) -> UInt8[np.ndarray, "H W"] | None:
    """1 where two class maps of one image differ, else 0; None when there are not two of one size."""
    maps = [row.label for row in rows if row.label is not None]
    if len(maps) != 2 or maps[0].shape != maps[1].shape:
        return None
    return (maps[0] != maps[1]).astype(np.uint8)


def _ground(
    kind: str, view: panels.View, label: object, scale: Scale | None, look: Look, names: Sequence[str]
) -> Image.Image:
    """The panel of a kind; objects get boxes only on request, or when none has a mask."""
    if kind != "instance" or BOXES in look.lines or not (label.map > 0).any():
        return panels.draw(kind, view, label, names, scale)
    return panels.fill(view, label)


def _lines(panel: Image.Image, view: panels.View, row: Row, kind: str, look: Look, names: Sequence[str]) -> Image.Image:
    """The panel with skeletons, then boxes with their tags; a panel of objects has its boxes already."""
    if row.objects is None:
        return panel
    if SKELETONS in look.lines and row.objects.keypoints is not None:
        panel = draw_skeletons(panel, row.objects.keypoints * (*view.ratio, 1), 1)
    if BOXES in look.lines and kind != "instance":
        panel = panels.draw_boxes(panel, view, row.objects, names)
    return panel

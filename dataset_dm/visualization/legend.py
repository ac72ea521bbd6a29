"""Legends: swatches and names, and the facts under a tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dataset_dm.labels.vocabulary import VOID
from dataset_dm.visualization.overlay import display_colours
from dataset_dm.visualization.skeleton import CASING, LEFT, MIDDLE, RIGHT
from dataset_dm.visualization.text import font

PAPER, INK, FAINT, RULE = (255, 255, 255), (30, 38, 46), (112, 122, 132), (225, 229, 233)

Entry = tuple[int | None, str]  # class id of the swatch, or None for words alone; text


def class_name(i: int, names: Sequence[str]) -> str:
    """The name of an id: void for 255, "class 7" when the list is too short."""
    return "void" if i == VOID else names[i] if i < len(names) else f"class {i}"


def classes_of(kind: str, label: Any) -> set[int]:
    """The class ids that a label of a kind (a task's name) shows in colours, void included."""
    if kind == "semantic":
        return set(np.unique(label).tolist()) - {0}
    return set(np.unique(label.classes).tolist()) if kind == "instance" else set()


def facts_of(kind: str, label: Any, names: Sequence[str]) -> list[Entry]:
    """The facts under a tile: shares of the classes, numbers of instances and joints, metres."""
    if kind == "semantic":
        return _shares(label, names)
    if kind == "instance":
        counts = np.bincount(label.classes) if len(label) else np.zeros(0, int)
        shown = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
        return [(i, f"{class_name(i, names)} x{counts[i]}") for i in shown] or [(None, "no object")]
    if kind == "pose":
        state = label.keypoints[..., 2]
        people = int((state > 0).any(axis=1).sum())
        return [(None, f"{people} {'person' if people == 1 else 'people'}, {int((state > 1).sum())} joints seen, "
                 f"{int((state == 1).sum())} hidden" if people else "no person")]  # fmt: skip
    known = np.isfinite(label) & (label > 0)
    if not known.any():
        return [(None, "depth unknown")]
    unknown = f", {100 * (1 - known.mean()):.0f}% unknown" if not known.all() else ""
    return [(None, f"{label[known].min():.1f} to {label[known].max():.1f} m{unknown}".replace(" 0% ", " <1% "))]


def draw_legend(draw: ImageDraw.ImageDraw, entries: Sequence[Entry], start: tuple[int, int], width: float,
                face: ImageFont.FreeTypeFont) -> int:  # fmt: skip
    """Swatch and name, flowing over lines; returns the y below the last line."""
    x, y = start
    colours = display_colours()
    for i, name in entries:
        lead = 0 if i is None else 22
        step = lead + draw.textlength(name, face) + 18
        if x > start[0] and x + step - 18 > width:
            x, y = start[0], y + 24
        if i is not None:
            _swatch(draw, (x, y + 3), i, tuple(int(c) for c in colours[i]))
        draw.text((x + lead, y), name, FAINT if i is None else INK, face)
        x += step
    return int(y + 24) if entries else int(y)


def draw_joints_key() -> Image.Image:
    """The key of the skeletons' colours and circles."""
    face = font(14)
    entries = (("left", LEFT, True), ("right", RIGHT, True), ("hidden", (150, 156, 162), False))
    canvas = Image.new("RGB", (300, 24), PAPER)
    draw = ImageDraw.Draw(canvas)
    x = 0
    for name, colour, filled in entries:
        draw.ellipse((x, 4, x + 14, 18), CASING)
        draw.ellipse((x + 2, 6, x + 12, 16), colour)
        if not filled:
            draw.ellipse((x + 4.5, 8.5, x + 9.5, 13.5), MIDDLE)
        draw.text((x + 21, 11), name, INK, face, "lm")
        x += 21 + round(face.getlength(name)) + 20
    return canvas.crop((0, 0, x, 24))


def _shares(label: np.ndarray, names: Sequence[str]) -> list[Entry]:
    """(id, "car 18%") of every id but background, largest first."""
    share = np.bincount(label.ravel(), minlength=256) / label.size
    shown = [int(i) for i in np.argsort(-share, kind="stable") if share[i] > 0 and i != 0]
    return [(i, f"{class_name(i, names)} {100 * share[i]:.0f}%".replace(" 0%", " <1%")) for i in shown]


def _swatch(draw: ImageDraw.ImageDraw, at: tuple[float, float], i: int, colour: tuple[int, ...]) -> None:
    box = (at[0], at[1], at[0] + 14, at[1] + 14)
    if i == VOID:
        draw.rectangle(box, (205, 205, 205))
        for offset in (-7, 0, 7):
            x0, y0 = max(box[0], box[0] + offset), min(box[3], box[3] + offset)
            length = min(box[2] - x0, y0 - box[1])
            draw.line((x0, y0, x0 + length, y0 - length), (120, 120, 120), 2)
        draw.rectangle(box, None, (120, 120, 120))
    else:
        draw.rectangle(box, colour, tuple(int(0.45 * c) for c in colour))

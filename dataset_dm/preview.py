"""Sample sheets: image, coloured label overlay with contours, legend, prompt. Drawn with Pillow alone."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dataset_dm.errors import DataError, explain
from dataset_dm.overlay import VOID, display_colours, overlay

PAPER, INK, FAINT, RULE = (255, 255, 255), (30, 38, 46), (112, 122, 132), (225, 229, 233)
SHEET_WIDTH = 1680  # pixels, about what a README or a notebook shows
TILE_SIDE = 384  # a smaller picture is enlarged to about this many pixels…
TRIPLE_SIDE = 256  # …or this many, where three stand side by side


@dataclass(frozen=True)
class Row:
    """One sample as the sheet wants it: image uint8 [H W 3], label uint8 [H W] with 255 void.

    With a `truth` [H W] the tile shows image | truth | label, each under its name; `note` stands in the right corner.
    """

    image: np.ndarray
    label: np.ndarray
    prompt: str = ""
    confidence: float | None = None
    index: int | None = None
    truth: np.ndarray | None = None
    note: str = ""


def sheet(rows: Sequence[Row], class_names: Sequence[str], title: str = "") -> Image.Image:
    """A sample sheet: tiles of image | labels with prompt, confidence and the tile's own classes under them.

    Args:
        rows: what to show, in this order.
        class_names: name of every id, background first.
        title: one line on top; the legend of all classes shown follows it.

    Raises:
        ValueError: no row, or a label that does not fit its image.
    """
    if not rows:
        raise ValueError("preview: no sample to show; generate some first")
    tiles = [_tile(row, class_names) for row in rows]
    width = max(tile.width for tile in tiles)
    columns = max(1, min(len(tiles), SHEET_WIDTH // (width + GAP)))
    head = _head(columns * (width + GAP) - GAP, rows, class_names, title)
    lines = [tiles[i : i + columns] for i in range(0, len(tiles), columns)]
    height = head.height + sum(max(tile.height for tile in line) + GAP for line in lines)
    whole = Image.new("RGB", (2 * MARGIN + columns * (width + GAP) - GAP, 2 * MARGIN + height - GAP), PAPER)
    whole.paste(head, (MARGIN, MARGIN))
    top = MARGIN + head.height
    for line in lines:
        for i, tile in enumerate(line):
            whole.paste(tile, (MARGIN + i * (width + GAP), top))
        top += max(tile.height for tile in line) + GAP
    return whole


GAP, MARGIN, PAD = 28, 28, 6


def _tile(row: Row, names: Sequence[str]) -> Image.Image:
    """Image, perhaps the truth, and the label side by side; text below."""
    maps = [label for label in (row.truth, row.label) if label is not None]
    height, width = row.image.shape[:2]
    for label in maps:
        if label.shape != (height, width):
            raise ValueError(f"preview: label of size {label.shape} on an image of {(height, width)}; they must agree")
    picture, maps, scale = _enlarge(Image.fromarray(row.image), maps, TILE_SIDE if len(maps) == 1 else TRIPLE_SIDE)
    panels = [picture, *(overlay(picture, label, scale) for label in maps)]
    titles = ["image", "truth", "label"] if len(panels) == 3 else []
    top = 22 if titles else 0
    total = len(panels) * (picture.width + PAD) - PAD
    text = _caption(row, names, total)
    tile = Image.new("RGB", (total, top + picture.height + PAD + text.height), PAPER)
    for i, panel in enumerate(panels):
        tile.paste(panel, (i * (picture.width + PAD), top))
    for i, title in enumerate(titles):
        ImageDraw.Draw(tile).text((i * (picture.width + PAD), 0), title, FAINT, font(15))
    tile.paste(text, (0, top + picture.height + PAD))
    return tile


def _enlarge(picture: Image.Image, maps: list[np.ndarray], wanted: int) -> tuple[Image.Image, list[np.ndarray], int]:
    """The picture at about `wanted` pixels, the labels before enlarging, and the whole factor between them."""
    side = max(picture.size)
    scale = max(1, round(wanted / side))
    if side > 1.5 * wanted:
        size = (round(picture.width * wanted / side), round(picture.height * wanted / side))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        maps = [np.asarray(Image.fromarray(label).resize(size, Image.Resampling.NEAREST)) for label in maps]
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BICUBIC)
    return picture, maps, scale


def _caption(row: Row, names: Sequence[str], width: int) -> Image.Image:
    """Prompt on at most three lines, then a swatch a class with its share of the picture; facts to the right."""
    text, small = font(17), font(15)
    lines = wrap(row.prompt, text, width, 3)
    entries = _shares(row.label, names)
    if row.truth is not None:
        entries = [*_shares(row.truth, names), (None, "labelled as"), *entries]
    facts = [] if row.index is None else [f"#{row.index}"]
    facts += [row.note] if row.note else []
    facts += [] if row.confidence is None else [f"confidence {row.confidence:.2f}"]
    picture = Image.new("RGB", (width, 24 * max(len(lines), 1) + 4 + 24 * 6), PAPER)
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(lines):
        draw.text((0, 24 * i), line, INK, text)
    y = 24 * len(lines) + 4
    right = "   ".join(facts)
    room = width - (draw.textlength(right, small) + 20 if right else 0)
    y = _legend(draw, entries, (0, y), room, small)
    if right:
        draw.text((width - draw.textlength(right, small), 24 * len(lines) + 4), right, FAINT, small)
    return picture.crop((0, 0, width, min(max(y, 24 * len(lines) + 28), picture.height)))


def _shares(label: np.ndarray, names: Sequence[str]) -> list[tuple[int | None, str]]:
    """(id, "car 18%") of every id but background, largest first."""
    share = np.bincount(label.ravel(), minlength=256) / label.size
    shown = [int(i) for i in np.argsort(-share, kind="stable") if share[i] > 0 and i != 0]
    return [(i, f"{class_name(i, names)} {100 * share[i]:.0f}%".replace(" 0%", " <1%")) for i in shown]


def _head(width: int, rows: Sequence[Row], names: Sequence[str], title: str) -> Image.Image:
    """Title and the legend of every class that occurs on the sheet."""
    maps = [label for row in rows for label in (row.label, row.truth) if label is not None]
    seen = sorted(set().union(*(np.unique(label).tolist() for label in maps)) - {0})
    entries = [(i, class_name(i, names)) for i in seen]
    picture = Image.new("RGB", (width, 44 + 26 * (1 + len(entries))), PAPER)
    draw = ImageDraw.Draw(picture)
    y = 0
    if title:
        draw.text((0, 0), fit(title, font(22), width), INK, font(22))
        y = 36
    y = _legend(draw, entries, (0, y), width, font(16)) + 8
    draw.line((0, y, width, y), RULE, 1)
    return picture.crop((0, 0, width, y + 16))


def _legend(draw: ImageDraw.ImageDraw, entries: Sequence[tuple[int | None, str]], start: tuple[int, int], width: float,
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


def class_name(i: int, names: Sequence[str]) -> str:
    """The name of an id: void for 255, "class 7" when the list is too short."""
    return "void" if i == VOID else names[i] if i < len(names) else f"class {i}"


def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font: the same on every machine."""
    return ImageFont.load_default(size)  # type: ignore[return-value]


def wrap(text: str, face: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """Words on at most `most` lines of `width` pixels; what is left over ends in an ellipsis."""
    lines: list[str] = []
    words = " ".join(text.split()).split(" ") if text.strip() else []
    while words and len(lines) < most:
        line = words.pop(0)
        while words and face.getlength(f"{line} {words[0]}") <= width:
            line += f" {words.pop(0)}"
        lines.append(fit(line if len(lines) < most - 1 else " ".join([line, *words]), face, width))
    return lines


def fit(text: str, face: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, cut with an ellipsis when it is longer than `width` pixels."""
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest head that fits
        middle = math.ceil((low + high) / 2)
        low, high = (middle, high) if face.getlength(text[:middle].rstrip() + "…") <= width else (low, middle - 1)
    return text[:low].rstrip() + "…"


def read_row(record: Mapping[str, Any], index: int | None = None) -> Row:
    """A dataset's row as the sheet wants it: columns `image` and `label`, if there are any `prompt` and `quality`.

    Raises:
        DataError: the row has no image or no label column.
    """
    for column in ("image", "label"):
        if record.get(column) is None:
            known = ", ".join(record)
            raise DataError(explain(f"preview: no column {column!r}", got=known, expected="rows of a semantic set"))
    quality = record.get("quality") or {}
    image = np.asarray(_picture(record["image"]).convert("RGB"))
    label = np.asarray(_picture(record["label"]))
    return Row(image, label.astype(np.uint8), record.get("prompt") or "", quality.get("confidence"), index)


def _picture(value: Any) -> Image.Image:
    """A decoded picture as it is, or the one in the bytes of an undecoded column."""
    return value if isinstance(value, Image.Image) else Image.open(io.BytesIO(value["bytes"]))

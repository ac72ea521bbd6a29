"""Sample sheets: images, their labels of every kind, prompt and legend. Drawn with Pillow alone.

    sheet(rows, names, title) -> Image            names: of every id, background first
    read_row(record, index) -> Row                a dataset's row of any config
    Row(image, label=…, objects=…, depth=…)       panels: image | classes | objects | keypoints | depth
    Row(image, label, truth=…)                    panels: image | truth | label
    Row(image, objects=…, truth_objects=…, kinds=("instance",))     the same for instances ("pose": for skeletons)
    Row(image, depth=…, truth_depth=…)            the same for depth, both on one scale

`objects` are `labels.instances.Instances`; `kinds` are names of `tasks.TASKS`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from dataset_dm.visualization import panels
from dataset_dm.visualization.depth import Scale, draw_bar, scale_of
from dataset_dm.visualization.legend import (
    FAINT,
    INK,
    PAPER,
    RULE,
    class_name,
    classes_of,
    draw_joints_key,
    draw_legend,
    facts_of,
)
from dataset_dm.visualization.row import Row, read_row
from dataset_dm.visualization.text import fit, font, wrap

__all__ = ["Row", "class_name", "fit", "font", "read_row", "sheet", "wrap"]

SHEET_WIDTH = 1680  # pixels, about what a README or a notebook shows
SIDES = {1: 384, 2: 384, 3: 256}  # number of panels side by side → size of a panel; more share a line
GAP, MARGIN, PAD = 28, 28, 6


def sheet(rows: Sequence[Row], class_names: Sequence[str], title: str = "") -> Image.Image:
    """A sample sheet: tiles of image | labels with prompt, confidence and the tile's own facts under them.

    All depths of a sheet share one scale, whose bar is on top.

    Args:
        rows: the samples, in this order.
        class_names: name of every id, background first.
        title: one line on top; the legend of all classes shown follows it.

    Raises:
        ValueError: no row, or a label that does not fit its image.
    """
    if not rows:
        raise ValueError("preview: no sample to show; generate some first")
    depths = [depth for row in rows if "depth" in row.chosen() for depth in (row.depth, row.truth_depth)]
    scale = scale_of([depth for depth in depths if depth is not None])
    tiles = [_tile(row, class_names, scale) for row in rows]
    width = max(tile.width for tile in tiles)
    columns = max(1, min(len(tiles), SHEET_WIDTH // (width + GAP)))
    head = _head(columns * (width + GAP) - GAP, rows, class_names, title, scale)
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


def _tile(row: Row, names: Sequence[str], scale: Scale | None) -> Image.Image:
    """The image, then the truth and the label of every kind side by side, each titled; text below."""
    shown = _shown(row)
    _check(row)
    count = 1 + len(shown)
    view = panels.View.of(row.image, SIDES.get(count, (SHEET_WIDTH - 2 * MARGIN) // count - PAD))
    drawn = [("image", view.image)]
    drawn += [(title, panels.draw(kind, view, label, names, scale)) for title, kind, label in shown]
    total = len(drawn) * (view.image.width + PAD) - PAD
    text, top = _caption(row, names, total), 22
    tile = Image.new("RGB", (total, top + view.image.height + PAD + text.height), PAPER)
    for i, (title, panel) in enumerate(drawn):
        left = i * (view.image.width + PAD)
        ImageDraw.Draw(tile).text((left, 0), fit(title, font(15), panel.width), FAINT, font(15))
        tile.paste(panel, (left, top))
    tile.paste(text, (0, top + view.image.height + PAD))
    return tile


def _shown(row: Row) -> list[tuple[str, str, object]]:
    """(title, kind, label) of every panel after the image; with a truth each kind has two."""
    there, true = row.labels(), row.labels(truth=True)
    kinds = row.chosen()
    shown: list[tuple[str, str, object]] = []
    for kind in kinds:
        title = panels.TITLES[kind]
        if kind in true:
            shown.append(("truth" if len(kinds) == 1 else f"true {title}", kind, true[kind]))
        if kind in there:
            shown.append(("label" if len(kinds) == 1 and kind in true else title, kind, there[kind]))
    return shown


def _check(row: Row) -> None:
    """ValueError for a map or mask that has another size than the image."""
    size = row.image.shape[:2]
    for labels in (row.labels(), row.labels(truth=True)):
        for kind, label in labels.items():
            got = label.shape if kind in ("semantic", "depth") else label.map.shape
            if got != size:
                raise ValueError(f"preview: {kind} label of size {got} on an image of {size}; they must agree")


def _caption(row: Row, names: Sequence[str], width: int) -> Image.Image:
    """The prompt on at most three lines, then the facts of each label; index, note and confidence to the right."""
    text, small = font(17), font(15)
    lines = wrap(row.prompt, text, width, 3)
    kinds, there, true = row.chosen(), row.labels(), row.labels(truth=True)
    # the class map already lists the classes of the instances
    worded = [kind for kind in kinds if not (kind == "instance" and "semantic" in kinds)]
    entries = [entry for kind in worded if kind in there for entry in facts_of(kind, there[kind], names)]
    wanted = [entry for kind in worded if kind in true for entry in facts_of(kind, true[kind], names)]
    blocks = [[(None, "truth"), *wanted], [(None, "label"), *entries]] if wanted else [entries]
    facts = [] if row.index is None else [f"#{row.index}"]
    facts += [row.note] if row.note else []
    facts += [] if row.confidence is None else [f"confidence {row.confidence:.2f}"]
    canvas = Image.new("RGB", (width, 24 * max(len(lines), 1) + 4 + 24 * 8), PAPER)
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        draw.text((0, 24 * i), line, INK, text)
    y = 24 * len(lines) + 4
    right = "   ".join(facts)
    room = width - (draw.textlength(right, small) + 20 if right else 0)
    for block in blocks:
        y = draw_legend(draw, block, (0, y), room, small)
    if right:
        draw.text((width - draw.textlength(right, small), 24 * len(lines) + 4), right, FAINT, small)
    return canvas.crop((0, 0, width, min(max(y, 24 * len(lines) + 28), canvas.height)))


def _head(width: int, rows: Sequence[Row], names: Sequence[str], title: str, scale: Scale | None) -> Image.Image:
    """Title, the legend of every class that occurs on the sheet, the depth's scale and the skeletons' key."""
    labels = [(kind, label) for row in rows for _, kind, label in _shown(row)]
    seen = sorted(set().union(*(classes_of(kind, label) for kind, label in labels)))
    entries = [(i, class_name(i, names)) for i in seen]
    keys = [draw_bar(scale)] if scale is not None else []
    keys += [draw_joints_key()] if any(kind == "pose" for kind, _ in labels) else []
    canvas = Image.new("RGB", (width, 44 + 26 * (1 + len(entries)) + 52 * len(keys)), PAPER)
    draw = ImageDraw.Draw(canvas)
    y = 0
    if title:
        draw.text((0, 0), fit(title, font(22), width), INK, font(22))
        y = 36
    y = draw_legend(draw, entries, (0, y), width, font(16)) + 8
    x = 0
    for key in keys:
        if x and x + key.width > width:
            x, y = 0, y + 48
        canvas.paste(key, (x, y))
        x += key.width + GAP
    y += 48 if keys else 0
    draw.line((0, y, width, y), RULE, 1)
    return canvas.crop((0, 0, width, y + 16))

"""A sample sheet of a set: images, labels of every kind and prompts on one PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.checks import check_int
from dataset_dm.errors import DataError, StoreError, explain
from dataset_dm.explore.sets import open_set

if TYPE_CHECKING:
    from PIL import Image


def preview(
    source: str | Path,
    out: str | Path | None = None,
    *,
    config: str | None = None,
    split: str | None = None,
    rows: int = 12,
    start: int = 0,
) -> Image.Image:
    """Draw a sheet of samples: images beside their labels of every kind, with prompt, confidence and legend.

    Args:
        source: a folder that `generate(…, out=DIR)` wrote, or a dataset's name or Hub id.
        out: PNG file to write; its folder is created.
        config: config of a dataset's name (default: its own).
        split: default: the first one.
        rows: number of samples, at least 1.
        start: first sample.

    Returns:
        The sheet, an RGB image.

    Raises:
        DataError: the set cannot be opened, has no such split or sample, or a label that cannot be read.
        StoreError: `out` cannot be written.

    Examples:
        >>> sheet = preview("voc4", "sheet.png", rows=2)
        >>> sheet.mode, sheet.width > 700
        ('RGB', True)
    """
    from dataset_dm.visualization.sheet import read_row, sheet

    count, first = check_int("rows", rows, 1, error=DataError), check_int("start", start, error=DataError)
    opened = open_set(str(source), config)
    chosen = opened.split(split)
    table = opened.splits[chosen]
    if first >= len(table):
        raise DataError(explain("start", got=first, expected=f"less than the {len(table)} rows of {chosen}"))
    positions = range(first, min(first + count, len(table)))
    records = table.rows(positions, list(opened.features))
    shown = [read_row(record, position) for position, record in zip(positions, records, strict=True)]
    drawn = sheet(shown, opened.class_names, f"{opened.title} · {chosen} · {len(table):,} images")
    if out is not None:
        file = Path(out).expanduser()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            drawn.save(file, format="PNG")
        except OSError as error:
            raise StoreError(explain(f"preview {file}: cannot be written ({error.strerror})")) from error
    return drawn

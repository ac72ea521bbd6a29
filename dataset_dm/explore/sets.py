"""Opens a set that is shown: one with images, labels and at least one row."""

from __future__ import annotations

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.open_dataset import Source, open_source
from dataset_dm.visualization.row import COLUMNS


def open_set(source: str, config: str | None = None) -> Source:
    """The set in a folder or of a name.

    Raises:
        DataError: it does not exist, cannot be opened, has no row, no image or no label.
    """
    opened = open_source(source, config)
    columns = ", ".join(opened.features)
    if "image" not in opened.features:
        raise DataError(explain(f"{opened.name}: no column 'image'", got=columns, expected="a set of labelled images"))
    if not any(name in opened.features for name in COLUMNS):
        expected = f"one of {', '.join(COLUMNS)}"
        raise DataError(explain(f"{opened.name}: no column with labels", got=columns, expected=expected))
    if not any(len(rows) for rows in opened.splits.values()):
        raise DataError(explain(f"{opened.name}: has no row"))
    return opened

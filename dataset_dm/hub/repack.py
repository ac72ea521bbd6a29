"""Small parquet files joined into large ones; images are copied without re-encoding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 400 * 2**20  # bytes, approximate size of a file
GROUP_ROWS = 100  # rows of a row group; the viewer of the Hub reads one group at a time


def repack(files: Sequence[Path], folder: Path, *, large: int = LARGE) -> list[Path]:
    """Fewer files with the same rows in the same order.

    Args:
        files: of one split, in order.
        folder: for new files; large files are kept.
        large: target size of a file in bytes.

    Returns:
        The files to upload, in order. Equal input files give equal bytes.
    """
    joined: list[Path] = []
    for number, batch in enumerate(_batches(files, large)):
        if len(batch) == 1:
            joined += batch
        else:
            folder.mkdir(parents=True, exist_ok=True)
            joined.append(_join(batch, folder / f"{number:05d}.parquet"))
    return joined


def _batches(files: Sequence[Path], large: int) -> Iterator[list[Path]]:
    """Runs of consecutive files of at most `large` bytes."""
    batch: list[Path] = []
    size = 0
    for file in files:
        more = file.stat().st_size
        if batch and size + more > large:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += more
    if batch:
        yield batch


def _join(files: Sequence[Path], target: Path) -> Path:
    import pyarrow.parquet as pq

    schema = pq.read_schema(files[0])
    with pq.ParquetWriter(target, schema, compression="none", use_dictionary=False) as writer:
        for group in _groups(files):
            writer.write_table(group.cast(schema))
    return target


def _groups(files: Sequence[Path]) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[Any] = []
    rows = 0
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=GROUP_ROWS):
            waiting.append(pa.Table.from_batches([batch]))
            rows += batch.num_rows
            while rows >= GROUP_ROWS:
                table = pa.concat_tables(waiting)
                yield table.slice(0, GROUP_ROWS)
                waiting, rows = [table.slice(GROUP_ROWS)], rows - GROUP_ROWS
    if rows:
        yield pa.concat_tables(waiting)

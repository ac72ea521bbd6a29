"""Small parquet files joined into large ones: the same rows in the same order."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_dm.hub.repack import GROUP_ROWS, repack


def files(folder: Path, *counts: int) -> list[Path]:
    """Parquet files with the numbers 0, 1, … over all of them."""
    folder.mkdir()
    made, first = [], 0
    for position, count in enumerate(counts):
        made.append(folder / f"{position}.parquet")
        pq.write_table(pa.table({"n": list(range(first, first + count))}), made[-1])
        first += count
    return made


def numbers(joined: list[Path]) -> list[int]:
    return [n for file in joined for n in pq.read_table(file)["n"].to_pylist()]


def test_small_files_become_one_with_full_row_groups(tmp_path: Path) -> None:
    joined = repack(files(tmp_path / "in", 70, 70, 70), tmp_path / "out")
    assert [file.name for file in joined] == ["00000.parquet"] and numbers(joined) == list(range(210))
    metadata = pq.ParquetFile(joined[0]).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [GROUP_ROWS, GROUP_ROWS, 10]


def test_large_files_are_kept_and_sizes_respected(tmp_path: Path) -> None:
    given = files(tmp_path / "in", 5, 5, 5, 5)
    size = given[0].stat().st_size
    assert repack(given, tmp_path / "none", large=size) == given and not (tmp_path / "none").exists()
    pairs = repack(given, tmp_path / "pairs", large=2 * size + 8)
    assert [numbers([file]) for file in pairs] == [list(range(10)), list(range(10, 20))]


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    one = repack(files(tmp_path / "a", 3, 4), tmp_path / "x")
    other = repack(files(tmp_path / "b", 3, 4), tmp_path / "y")
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]

"""Rows of parquet files and of `datasets`."""

from pathlib import Path

import pyarrow.parquet as pq

from dataset_dm.exports.tables import ParquetTable, batches
from tests.exports.sets import rows_of


def test_rows_come_from_the_groups_that_contain_them(hand_set: Path, tmp_path: Path) -> None:
    table = pq.read_table(hand_set / "train" / "00000.parquet")
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)  # 2 + 1
    pq.write_table(table.slice(0, 2), tmp_path / "b.parquet", row_group_size=1)  # 1 + 1
    rows = ParquetTable([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert len(rows) == 5 and rows.starts.tolist() == [0, 2, 3, 4, 5]
    found = rows.rows([4, 2, 3, 2], ["image_id"])
    assert [row["image_id"] for row in found] == [18, 19, 16, 19]
    assert rows.columns(["quality.confidence"]).column("quality").to_pylist() == [{"confidence": 0.75}] * 5


def test_batches_are_all_rows(hand_set: Path) -> None:
    table = ParquetTable([hand_set / "train" / "00000.parquet"])
    (records,) = batches(table, table.schema.names)
    assert records == rows_of(hand_set)["train"]

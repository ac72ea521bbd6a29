"""Opening a set, and reading a few of its rows."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataset_dm.errors import DataError
from dataset_dm.explore.sets import open_set
from dataset_dm.exports.tables import ParquetTable
from tests.explore.sets import CLASSES


def test_a_folder_of_ours_tells_all_by_itself(one: Path) -> None:
    opened = open_set(str(one))
    assert opened.title == "one" and list(opened.splits) == ["train"] and len(opened.splits["train"]) == 5
    assert opened.class_names == ["background", *CLASSES]
    assert opened.dropped == {"low_confidence": 2}
    rows = opened.splits["train"].rows([4, 0], ["prompt", "image_id"])
    assert rows == [{"prompt": "a dog", "image_id": 14}, {"prompt": "a cat", "image_id": 10}]


def test_rows_come_from_the_groups_they_lie_in(tmp_path: Path, one: Path) -> None:
    table = pq.read_table(one / "train" / "00000.parquet")
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)  # 2 + 2 + 1
    pq.write_table(table.slice(0, 3), tmp_path / "b.parquet", row_group_size=2)  # 2 + 1
    rows = ParquetTable([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert len(rows) == 8 and rows.starts.tolist() == [0, 2, 4, 5, 7, 8]
    found = rows.rows([7, 3, 4, 5, 3], ["image_id"])
    assert [row["image_id"] for row in found] == [12, 13, 14, 10, 13]


def test_what_datasets_loads_reads_the_same(tmp_path: Path, one: Path) -> None:
    import datasets

    saved = tmp_path / "saved"
    split = {"train": str(one / "train" / "*.parquet")}
    datasets.load_dataset("parquet", data_files=split, cache_dir=str(tmp_path / "cache")).save_to_disk(str(saved))
    mapped, ours = open_set(str(saved)), open_set(str(one))
    assert mapped.class_names == ours.class_names
    columns = ["image", "label", "objects", "prompt"]
    found = [each.splits["train"].rows([3, 1], columns) for each in (mapped, ours)]
    assert found[0] == found[1]
    assert np.array_equal(
        *(each.splits["train"].columns(["image_id"]).column("image_id").to_numpy() for each in (mapped, ours))
    )


def test_what_cannot_be_opened_is_one_line(tmp_path: Path, one: Path) -> None:
    for source in (str(tmp_path / "nowhere"), "./nowhere", "no_such_set"):
        with pytest.raises(DataError, match=r"SOURCE: got '.*', expected a folder") as caught:
            open_set(source)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="split: got 'tran', expected one of train; did you mean 'train'"):
        open_set(str(one)).split("tran")


def test_sets_that_cannot_be_shown_are_named(tmp_path: Path, one: Path) -> None:
    table = pq.read_table(one / "train" / "00000.parquet")
    for kept, said in ((["prompt"], "no column 'image'"), (["image", "prompt"], "no column with labels")):
        folder = tmp_path / said[-4:]
        (folder / "train").mkdir(parents=True)
        (folder / ".dataset_dm.json").write_text("{}")
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        info = json.dumps({"info": {"features": {name: features[name] for name in kept}}})
        pq.write_table(
            table.select(kept).replace_schema_metadata({"huggingface": info}), folder / "train" / "0.parquet"
        )
        with pytest.raises(DataError, match=said):
            open_set(str(folder))


def test_a_torn_file_is_named(tmp_path: Path, one: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / ".dataset_dm.json").write_text("{}")
    whole = (one / "train" / "00000.parquet").read_bytes()
    (tmp_path / "train" / "00000.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"00000.parquet: cannot be read"):
        open_set(str(tmp_path))

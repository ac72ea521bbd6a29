"""The folder of --out: whole or absent, replaced only when asked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.store.output_folder import OutFolder, find_splits, in_order

ROWS = pa.table({"index": [0, 1, 2]})
SET = {"dataset": "voc_synth", "labels": "0" * 16}


def write(target: Path, **how: bool) -> None:
    with OutFolder(target, SET, **how) as folder:
        for split in ("test", "train"):
            assert folder.write_split(split, [ROWS.slice(0, 2), ROWS.slice(2)], ROWS.schema) == 3
        assert folder.publish() == target


def test_a_set_is_written_beside_its_place_and_moved_there(tmp_path: Path) -> None:
    target = tmp_path / "set"
    write(target)
    assert pq.read_table(target / "train" / "00000.parquet").equals(ROWS)
    assert list(find_splits(target)) == ["train", "test"] and [file.name for file in tmp_path.iterdir()] == ["set"]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), OutFolder(tmp_path / "set", SET) as folder:
        folder.write_split("train", [ROWS], ROWS.schema)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "set"
    write(target)
    with pytest.raises(StoreError, match="the folder is not empty; take another folder, --resume"):
        OutFolder(target, SET)
    with pytest.raises(StoreError, match="--resume: .* holds another set .labels is '0000000000000000' there and 'f'"):
        OutFolder(target, {**SET, "labels": "f"}, resume=True)
    (target / "train" / "note.txt").write_text("x")
    write(target, resume=True)
    assert not (target / "train" / "note.txt").exists()
    write(target, overwrite=True)


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"x")
    with pytest.raises(StoreError, match="something that dataset-dm did not write"):
        OutFolder(tmp_path / "photos", SET, overwrite=True)
    with pytest.raises(StoreError, match="got 'a file or link'"):
        OutFolder(tmp_path / "photos" / "1.jpg", SET, overwrite=True)


def test_order_of_splits() -> None:
    assert in_order(["extra", "test", "validation", "train"]) == ["train", "validation", "test", "extra"]

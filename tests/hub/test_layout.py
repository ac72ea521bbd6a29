"""Paths in a repository, and features read from parquet files."""

from pathlib import Path

import pytest

from dataset_dm.errors import DataError
from dataset_dm.hub.layout import check_name, data_file, describe, is_data_file, pattern
from tests.hub.stores import make_store


def test_paths_are_those_of_datasets() -> None:
    assert data_file("semantic", "train", 2, 30) == "semantic/train-00002-of-00030.parquet"
    assert data_file("default", "test", 0, 1) == "data/test-00000-of-00001.parquet"
    assert pattern("semantic", "train") == "semantic/train-*" and pattern("default", "test") == "data/test-*"


@pytest.mark.parametrize(
    ("path", "split", "expected"),
    [
        ("semantic/train-00002-of-00030.parquet", "train", True),
        ("semantic/train-00002-of-00030.parquet", None, True),
        ("semantic/train-00002-of-00030.parquet", "test", False),
        ("instance/train-00002-of-00030.parquet", "train", False),
        ("semantic/train-2-of-3.parquet", "train", False),
        ("semantic/trainxl-00002-of-00030.parquet", "train", False),
    ],
)
def test_data_files_are_recognised(path: str, split: str | None, expected: bool) -> None:
    assert is_data_file(path, "semantic", split) is expected


@pytest.mark.parametrize("name", ["a", "zero_shot", "v1.2", "a-b"])
def test_good_names(name: str) -> None:
    assert check_name("config", name) == name


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a ", "ä"])
def test_bad_names_are_one_line(name: str) -> None:
    with pytest.raises(DataError, match="config name: got"):
        check_name("config", name)


def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    store = make_store(tmp_path / "set", train=[2, 1], test=3)
    splits = {name: sorted((store / name).glob("*.parquet")) for name in ("train", "test")}
    info = describe(splits)
    assert {name: split.num_examples for name, split in info.splits.items()} == {"train": 3, "test": 3}
    assert info.download_size == sum(file.stat().st_size for files in splits.values() for file in files)
    assert "label" in info.features


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    one, other = make_store(tmp_path / "a", train=1), make_store(tmp_path / "b", "depth", train=1)
    files = [folder / "train" / "00000.parquet" for folder in (one, other)]
    with pytest.raises(DataError, match="expected those of train's first file"):
        describe({"train": files})

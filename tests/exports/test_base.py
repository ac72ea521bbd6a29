"""Helpers that all formats share."""

from pathlib import Path

import pytest

from dataset_dm.errors import DataError
from dataset_dm.exports import FORMATS
from dataset_dm.exports.base import category_of, find_files, inside, joint_of, read_json, score_of, stem


def test_files_by_the_name_of_their_image(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").touch()
    assert find_files(tmp_path, "**/*.txt", "x") == {"one": tmp_path / "a" / "one.txt"}
    assert list(find_files(tmp_path, "**/*.txt", "x", "ne.txt")) == ["o"]
    (tmp_path / "one.txt").touch()
    with pytest.raises(DataError, match="image 'one' comes twice .*; keep one"):
        find_files(tmp_path, "**/*.txt", "x")
    with pytest.raises(DataError, match="no label file: expected labels/"):
        find_files(tmp_path, "*.xml", "labels/")


def test_values_of_files() -> None:
    assert stem("C:\\photos\\cat.1.png", "image") == "cat.1"
    assert category_of("dog", ("cat", "dog"), "x") == 1 and joint_of("nose", "x") == 0
    assert score_of(None, "x") is None and score_of(1, "x") == 1
    assert inside([0, 1, 2, 3], (4, 4), "x") == (0, 1, 2, 3)
    for wrong in (lambda: score_of(1.5, "x"), lambda: joint_of("tail", "x"), lambda: inside([0, 0, 0, 3], (4, 4), "x")):
        with pytest.raises(DataError, match="^x: "):
            wrong()


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json: cannot be read as JSON \(Expecting"):
        read_json(tmp_path / "a.json")


def test_the_former_name_of_unsupported_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="now Format.unsupported"):
        assert FORMATS["coco"].cannot == FORMATS["coco"].unsupported

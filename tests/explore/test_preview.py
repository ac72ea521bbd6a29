"""A sample sheet of a set, drawn from Python."""

from pathlib import Path

import pytest
from PIL import Image

from dataset_dm.errors import DataError, StoreError
from dataset_dm.explore.preview import preview
from tests.explore.sets import write


def test_a_sheet_of_some_rows(tmp_path: Path) -> None:
    source, out = write(tmp_path / "set"), tmp_path / "deep" / "sheet.png"
    drawn = preview(source, out, rows=2)
    with Image.open(out) as written:
        assert written.size == drawn.size and written.mode == drawn.mode == "RGB"
    assert preview(source, rows=1).size != drawn.size
    assert preview(source, rows=1, start=1).tobytes() != preview(source, rows=1).tobytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rows": 0}, "rows: got 0, expected a whole number of at least 1"),
        ({"start": -1}, "start: got -1"),
        ({"start": 99}, "start: got 99, expected less than the 5 rows of train"),
        ({"split": "trian"}, "split: got 'trian'.*did you mean 'train'"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, options: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        preview(write(tmp_path / "set"), **options)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        preview(write(tmp_path / "set"), tmp_path / "file" / "sheet.png")

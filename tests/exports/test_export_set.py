"""Exports that are refused, and exports that fail: nothing is left behind."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_dm.errors import DataError, UserError
from dataset_dm.exports import FORMATS, export_set, import_set
from dataset_dm.labels.records import depth_features, instance_features
from tests.exports.sets import write_set


def test_an_unknown_format(hand_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="got 'cocoo', expected one of coco, yolo, .*; did you mean 'coco'?"):
        export_set(str(hand_set), "cocoo", tmp_path / "out")
    with pytest.raises(UserError, match="did you mean 'yolo-seg'?"):
        import_set(tmp_path, "yolo_seg", str(hand_set), tmp_path / "out")


def test_a_folder_with_something_in_it_is_left_alone(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for attempt in (
        lambda: export_set(str(hand_set), "coco", tmp_path),
        lambda: import_set(exports["coco"], "coco", str(hand_set), tmp_path),
    ):
        with pytest.raises(UserError, match="the folder is not empty; take another folder"):
            attempt()
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_a_source_without_the_columns(semantic_set: Path, tmp_path: Path) -> None:
    for name in ("coco", "yolo", "yolo-seg", "yolo-pose"):
        with pytest.raises(UserError, match="expected a column objects"):
            export_set(str(semantic_set), name, tmp_path / "out")
    depth = write_set(tmp_path / "depth", features=lambda classes: depth_features(classes))
    for name in FORMATS:
        with pytest.raises(UserError, match="not a set for"):
            export_set(str(depth), name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_poses_need_keypoints_and_people(tmp_path: Path) -> None:
    plain = write_set(tmp_path / "plain", features=instance_features)
    with pytest.raises(UserError, match="objects have no field keypoints"):
        export_set(str(plain), "yolo-pose", tmp_path / "out")
    with pytest.raises(UserError, match="expected a class 'person'"):
        FORMATS["yolo-pose"].check(("cat", "dog"), ["keypoints"])


def test_names_that_the_formats_keep_for_themselves() -> None:
    for name in ("label-studio", "cvat"):
        with pytest.raises(DataError, match="void regions are called so"):
            FORMATS[name].check(("cat", "void"), ["objects"])


def test_a_source_that_is_none(exports: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'voc_synth'?"):
        export_set("voc_sinth", "coco", tmp_path / "out")
    with pytest.raises(UserError, match="no split"):
        export_set(str(exports["coco"]), "yolo", tmp_path / "out")


def test_an_unknown_split(hand_set: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="--split: got 'trian', expected one of train, validation; did you mean 'train'?"
    ):
        export_set(str(hand_set), "coco", tmp_path / "out", splits=["trian"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_breaks_off_leaves_nothing(name: str, hand_set: Path, tmp_path: Path) -> None:
    """The last row of the last split has an image that is none."""
    shutil.copytree(hand_set, tmp_path / "set")
    (file,) = (tmp_path / "set" / "validation").iterdir()
    table = pq.read_table(file)
    rows = table.to_pylist()
    rows[-1]["image"]["bytes"] = b"no image"
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), file)
    with pytest.raises(UserError, match="validation row 0: image cannot be read"):
        export_set(str(tmp_path / "set"), name, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["set"]

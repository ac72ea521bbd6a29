"""Layouts are recognised by their files; unknown ones list what can be read."""

import pytest

from dataset_dm.errors import DataError
from dataset_dm.readers import LAYOUTS, open_labelled
from tests.readers.little_sets import sample_image


def test_a_format_overrules_the_guess(nyu):
    assert open_labelled(nyu).source.startswith(str(nyu))
    with pytest.raises(DataError, match="no annotation file; expected annotations/instances_"):
        open_labelled(nyu, format="coco")
    with pytest.raises(DataError, match="no folders of the kitti layout; expected image"):
        open_labelled(nyu, format="kitti")


def test_nothing_there_lists_the_layouts(tmp_path):
    with pytest.raises(DataError) as caught:
        open_labelled(tmp_path / "nowhere")
    assert all(f"{name}: " in str(caught.value) for name in LAYOUTS) and "\n" not in str(caught.value)


def test_a_folder_of_something_else_lists_them_too(tmp_path):
    (tmp_path / "deep").mkdir()
    with pytest.raises(DataError, match="voc: JPEGImages and SegmentationClass; cityscapes") as caught:
        open_labelled(tmp_path / "deep")
    assert "\n" not in str(caught.value)


def test_yolo_labels_are_not_taken_for_masks(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    sample_image().save(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .1 .1")
    assert not LAYOUTS["parsing"].fits(tmp_path)


def test_nothing_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match="expected 'miniature', a VOC folder"):
        open_labelled(tmp_path / "nowhere")
    (tmp_path / "JPEGImages").mkdir()
    with pytest.raises(DataError, match="no folder SegmentationClass"):
        open_labelled(tmp_path)

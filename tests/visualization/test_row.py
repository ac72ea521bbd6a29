"""Rows of every config, as dicts of columns, become what a sheet draws."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.rle import encode
from dataset_dm.visualization.row import Row, read_row

IMAGE = Image.new("RGB", (6, 4), (9, 9, 9))


def masks() -> np.ndarray:
    both = np.zeros((2, 4, 6), bool)
    both[0, 1:3, 2:6] = True
    both[0, 2, 3] = False  # a hole
    both[1, 0, 0] = both[1, 3, 5] = True  # two parts
    return both


def columns(**more: Any) -> dict[str, Any]:
    return {"category": [14, 0], "bbox": [[2, 1, 4, 2], [0, 0, 6, 4]], "score": [0.75, 0.5], **more}


def test_semantic_rows() -> None:
    row = read_row(
        {"image": IMAGE, "label": Image.new("L", (6, 4), 3), "prompt": "a", "quality": {"confidence": 0.5}}, 7
    )
    assert row.label.shape == (4, 6) and (row.label == 3).all() and row.prompt == "a"
    assert (row.confidence, row.index, row.objects, row.depth) == (0.5, 7, None, None)
    assert row.chosen() == ("semantic",)


def test_instance_rows_with_run_lengths() -> None:
    row = read_row({"image": IMAGE, "objects": columns(segmentation=[encode(mask) for mask in masks()])})
    assert np.array_equal(row.objects.masks, masks()) and row.objects.classes.tolist() == [15, 1]
    assert row.objects.scores.tolist() == [0.75, 0.5] and row.objects.keypoints is None
    assert row.objects.boxes.tolist() == [[2, 1, 4, 2], [0, 0, 6, 4]] and row.chosen() == ("instance",)


def test_a_list_of_dicts_and_polygons() -> None:
    square = [1.0, 1, 4, 1, 4, 3, 1, 3]
    objects = [
        {"category": 0, "bbox": [1, 1, 3, 2], "segmentation": [square]},
        {"category": 1, "bbox": [0, 0, 2, 2], "segmentation": []},
    ]
    row = read_row({"image": IMAGE, "objects": objects})
    assert row.objects.masks[0].sum() == 6 and row.objects.masks[0, 1:3, 1:4].all()
    assert not row.objects.masks[1].any()  # no outline: its box alone
    assert row.objects.scores is None


def test_boxes_alone() -> None:
    row = read_row({"image": IMAGE, "objects": columns()})
    assert not row.objects.map.any() and len(row.objects) == 2


def test_colours_stand_in_for_outlines_and_for_objects() -> None:
    painted = np.zeros((4, 6, 3), np.uint8)
    for number, (mask, class_id) in enumerate(zip(masks(), (15, 1), strict=True), start=1):
        painted[mask] = (class_id, number, 0)
    annotation = Image.fromarray(painted)
    both = read_row({"image": IMAGE, "objects": columns(), "annotation": annotation})
    alone = read_row({"image": IMAGE, "annotation": annotation})
    for row in (both, alone):
        assert np.array_equal(row.objects.masks, masks()) and row.objects.classes.tolist() == [15, 1]
    assert alone.objects.bounds().tolist() == [[2, 1, 4, 2], [0, 0, 6, 4]]


def test_keypoints_and_depth_and_undecoded_bytes() -> None:
    points = np.zeros((2, 17, 3)).tolist()
    points[0][5] = [1.5, 2.5, 2.0]
    file, tiff = io.BytesIO(), io.BytesIO()
    IMAGE.save(file, "PNG")
    metres = np.array([[0, 1.25, 3], [4, 5, 6]], np.float32).repeat(2, 0).repeat(2, 1)
    Image.fromarray(metres).save(tiff, "TIFF")
    record = {
        "image": {"bytes": file.getvalue(), "path": None},
        "objects": columns(keypoints=points),
        "depth_map": {"bytes": tiff.getvalue(), "path": None},
    }
    row = read_row(record)
    assert row.objects.keypoints.shape == (2, 17, 3) and row.objects.keypoints[0, 5].tolist() == [1.5, 2.5, 2]
    assert np.array_equal(row.depth, metres) and row.depth.dtype == np.float32
    assert row.chosen() == ("instance", "pose", "depth")


def test_images_without_an_object() -> None:
    nothing = {"category": [], "bbox": [], "score": [], "segmentation": [], "keypoints": []}
    row = read_row({"image": IMAGE, "objects": nothing})
    assert len(row.objects) == 0 and row.objects.boxes.shape == (0, 4) and row.objects.keypoints.shape == (0, 17, 3)
    assert len(read_row({"image": IMAGE, "objects": []}).objects) == 0
    assert len(read_row({"image": IMAGE, "annotation": IMAGE.point(lambda _: 0)}).objects) == 0


def test_mistakes_are_one_line() -> None:
    with pytest.raises(DataError, match="no column 'image'"):
        read_row({"label": IMAGE})
    with pytest.raises(DataError, match="expected one of label, objects, annotation, depth_map"):
        read_row({"image": IMAGE, "text": "a"})
    with pytest.raises(DataError, match="column 'objects': got 'bbox', expected category and bbox"):
        read_row({"image": IMAGE, "objects": {"bbox": []}})
    with pytest.raises(DataError, match="segmentation of object 0 cannot be read"):
        read_row({"image": IMAGE, "objects": columns(segmentation=[{"size": [4, 6], "counts": [3]}] * 2)})
    with pytest.raises(DataError, match=r"segmentation of object 1: got \(2, 2\)"):
        small = [encode(masks()[0]), encode(np.ones((2, 2), bool))]
        read_row({"image": IMAGE, "objects": columns(segmentation=small)})


def test_what_is_drawn_follows_the_truth() -> None:
    image, label = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
    found = Instances.from_masks(masks(), np.array([1, 2]), np.ones(2, np.float32), np.zeros((2, 17, 3), np.float32))
    every = Row(image, label, objects=found, depth=np.ones((4, 6), np.float32))
    assert every.chosen() == ("semantic", "instance", "pose", "depth")
    assert Row(image, label, truth=label, objects=found).chosen() == ("semantic",)
    assert Row(image, objects=found, truth_objects=found, kinds=("pose",)).chosen() == ("pose",)
    assert Row(image, objects=found, truth_objects=found).labels(truth=True)["instance"].scores is None
    with pytest.raises(ValueError, match="asks for 'depth', but has semantic"):
        Row(image, label, kinds=("depth",)).chosen()

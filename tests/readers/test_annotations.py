"""Boxes, masks and keypoints of COCO-like annotations: values worked out by hand, one line for each fault."""

import numpy as np
import pytest

from dataset_dm.labels import rle
from dataset_dm.readers import SampleError, open_labelled
from tests.readers.little_sets import (
    HEIGHT,
    STANDING,
    WIDTH,
    changed,
    coco_content,
    instance,
    write_coco,
    write_keypoints,
)


def test_holes_and_loose_parts_survive(tmp_path):
    ring = np.zeros((HEIGHT, WIDTH), bool)
    ring[0:3, 0:3], ring[1, 1], ring[5, 7] = True, False, True
    content = coco_content()
    content["annotations"] = [instance(1, 10, 18, [0, 0, 8, 6], segmentation=rle.encode(ring))]
    sample = open_labelled(write_coco(tmp_path, content))[0]
    assert np.array_equal(sample.instances.map == 1, ring)


def test_compressed_and_uncompressed_runs_are_the_same_mask(tmp_path):
    runs = {"size": [HEIGHT, WIDTH], "counts": [2, 3, 43]}
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[2:5, 0] = True
    for form in (runs, rle.encode(expected)):
        assert np.array_equal(changed(tmp_path, segmentation=form, bbox=[0, 2, 1, 3])[0].label == 1, expected)


def test_a_joint_beyond_the_edge_counts_as_not_labelled(coco):
    write_keypoints(coco, [*STANDING[:48], WIDTH, 2, 2])
    assert open_labelled(coco)[0].instances.keypoints[1, 16].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        ({"category_id": 7}, "unknown class", "annotation 2: category: got 7, expected an id that the file's"),
        ({"bbox": [2, 1, -2, 4]}, "box outside the image", r"box: got \[2.0, 1.0, -2.0, 4.0\], expected .* within 8×6"),
        ({"bbox": [5, 1, 5, 4]}, "box outside the image", r"box: got \[5.0, 1.0, 5.0, 4.0\]"),
        ({"bbox": [-3, 1, 2, 4]}, "box outside the image", r"box: got \[-3.0"),
        ({"bbox": [2, 1, float("nan"), 4]}, "box outside the image", "box: got .*nan"),
        ({"bbox": [1, 2]}, "box outside the image", r"box: got \[1, 2\], expected x, y, w, h"),
        ({"segmentation": None}, "damaged segmentation", "no segmentation; a box alone is no mask"),
        ({"segmentation": [[1, 1, 2, 2]]}, "damaged segmentation", "got 4 values, expected x and y"),
        ({"segmentation": {"size": [6, 8], "counts": [3, 4]}}, "damaged segmentation", "runs add up to 7, expected 48"),
        ({"segmentation": {"size": [6, 8], "counts": "zz"}}, "damaged segmentation", "segmentation .*runs"),
        ({"segmentation": [[1, 1, 1e9, 1, 1, 3]]}, "damaged segmentation", "a point far outside of the image"),
        ({"segmentation": [[1, 1, float("nan"), 1, 1, 3]]}, "damaged segmentation", "a point far outside"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "wrong size", "segmentation is 1000000000×"),
        ({"segmentation": {"size": [3, 2], "counts": [6]}}, "wrong size", "segmentation is 2×3, its image 8×6"),
        ({"keypoints": [1, 1, 2] * 16}, "wrong keypoints", "16 keypoints, expected 17 of x, y, v"),
        ({"keypoints": [1, 1] * 17 + [1]}, "wrong keypoints", "values that are no points|keypoints, expected 17"),
        ({"keypoints": [1, 1, 3] * 17}, "wrong keypoints", "keypoint with v 3, expected 0, 1"),
    ],
)
def test_a_broken_annotation_is_one_line_that_names_it(tmp_path, fields, reason, said):
    found = changed(tmp_path, **fields)
    with pytest.raises(SampleError, match=said) as caught:
        found[0]
    line = str(caught.value)
    assert caught.value.reason == reason and "\n" not in line and line.startswith("image '0.jpg', annotation 2:")
    assert found[1].label.any(), "the others are fine"

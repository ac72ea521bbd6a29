"""Annotations there and back: through the rows of a shard, and through parquet."""

import io
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_depth, decode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.store.label_codec import (
    annotation_image,
    class_ids,
    each,
    from_row,
    label_rows,
    object_confidence,
    to_row,
    without_low_scores,
)
from tests.annotations import annotation, nothing, objects


def through_parquet(*found: Annotation) -> list[dict]:
    file = io.BytesIO()
    pq.write_table(label_rows(range(7, 7 + len(found)), found), file)
    return pq.read_table(file).to_pylist()


def test_every_label_comes_back_exactly() -> None:
    made = annotation()
    back = from_row(through_parquet(made)[0])
    for name in ("label", "full", "presence", "depth", "depth_confidence"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name))
    assert (back.confidence, back.uncertain) == (0.5, pytest.approx(1 / 48))
    for name in ("masks", "classes", "scores", "keypoint_scores"):
        np.testing.assert_array_equal(getattr(back.objects, name), getattr(made.objects, name))
    expected = made.objects.keypoints.copy()
    expected[1, 2] = 0  # a point that is not in the image has no place either
    np.testing.assert_array_equal(back.objects.keypoints, expected)


def test_agreement_is_null_where_there_is_nothing_to_agree_on() -> None:
    one, two = annotation(), replace(annotation(), agreement=np.array([0.5, np.nan, 0], np.float32))
    rows = through_parquet(one, two)
    assert [row["agreement"] for row in rows] == [None, [0.5, None, 0.0]]
    assert from_row(rows[0]).agreement is None
    np.testing.assert_array_equal(from_row(rows[1]).agreement, two.agreement)
    del rows[0]["agreement"]  # as in shards of earlier versions
    assert from_row(rows[0]).agreement is None


def test_fault_5_depth_is_exact_through_parquet() -> None:
    rng = np.random.default_rng(0)
    depth = np.exp(rng.uniform(-80, 80, (6, 8))).astype(np.float32)
    depth[2, 3] = 0
    row = through_parquet(annotation(depth=depth))[0]
    back = decode_depth(row["depth"]["bytes"])
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back.view(np.uint32), depth.view(np.uint32))


def test_fault_1_class_ids_round_trip() -> None:
    row = through_parquet(annotation())[0]
    assert row["objects"]["category"] == [1, 2, 0]  # dog, person, cat; background is no object
    assert sorted(row["classes"]) == [1, 2, 3] == class_ids(decode_png(row["label"]["bytes"]))
    assert from_row(row).objects.classes.tolist() == [2, 3, 1]
    red = decode_png(row["annotation"]["bytes"])[..., 0]
    np.testing.assert_array_equal(red, decode_png(row["full"]["bytes"]))


def test_fault_6_holes_and_parts_survive_in_both_forms() -> None:
    made = objects()
    row = through_parquet(annotation(made))[0]
    image = decode_png(row["annotation"]["bytes"])
    for number, instance in enumerate(each(row["objects"]), start=1):
        mask = made.masks[number - 1]
        np.testing.assert_array_equal(rle.decode(instance["segmentation"]), mask)
        np.testing.assert_array_equal(image[..., 1] == number, mask)
        assert instance["area"] == mask.sum() and tuple(instance["bbox"]) == rle.box(mask)
    assert not image[..., 2].any()
    assert row["objects"]["area"] == [9, 1, 4] and row["objects"]["bbox"][2] == [4, 3, 4, 1]


def test_ids_are_unique_in_the_split_and_never_zero() -> None:
    rows = through_parquet(annotation(), annotation())
    ids = [number for row in rows for number in row["objects"]["id"]]
    assert len(set(ids)) == 6 and min(ids) > 0
    assert rows[0]["objects"]["id"] == [7 * 256 + 1, 7 * 256 + 2, 7 * 256 + 3]


def test_an_empty_image_passes() -> None:
    empty = Annotation(confidence=1.0, objects=nothing(), label=np.zeros((6, 8), np.uint8))
    row = through_parquet(empty)[0]
    assert all(values == [] for values in row["objects"].values()) and row["classes"] == []
    assert not decode_png(row["annotation"]["bytes"]).any()
    back = from_row(row)
    assert len(back.objects) == 0 and back.objects.masks.shape == (0, 6, 8)
    assert back.objects.keypoints.shape == (0, 17, 3) and each(row["objects"]) == []
    assert object_confidence(row["objects"]) == (None, None)


def test_what_was_not_read_is_null() -> None:
    row = through_parquet(Annotation(confidence=0.5, depth=np.zeros((6, 8), np.float32)))[0]
    for name in ("label", "full", "classes", "presence", "uncertain", "objects", "annotation", "depth_confidence"):
        assert row[name] is None
    back = from_row(row)
    assert back.objects is None and back.label is None and not back.depth.any()
    instance = through_parquet(Annotation(confidence=0.5, objects=objects(keypoints=False)))[0]
    assert instance["objects"]["keypoints"] is None and instance["classes"] == [1, 2, 3]


def test_keypoints_of_hidden_and_cut_off_joints() -> None:
    found = to_row(0, annotation())["objects"]
    assert found["num_keypoints"] == [0, 2, 0]
    assert found["keypoints"][1][:3] == [[2.5, 4.5, 2], [2.25, 4.75, 1], [0, 0, 0]]
    assert object_confidence(found) == (pytest.approx((0.875 + 0.5 + 0.25) / 3), 0.5)


def test_objects_of_low_score_leave_both_columns_and_the_others_are_renumbered() -> None:
    row = through_parquet(annotation())[0]
    swapped = {**row, "objects": {**row["objects"], "score": [0.25, 0.5, 0.875]}}
    changed, lost = without_low_scores(swapped, 0.5)
    assert lost == 1 and changed["objects"]["category"] == [2, 0]
    assert changed["objects"]["id"] == row["objects"]["id"][1:]
    image, masks = decode_png(changed["annotation"]["bytes"]), objects().masks
    np.testing.assert_array_equal(image[..., 1], masks[1] * 1 + masks[2] * 2)
    np.testing.assert_array_equal(image[..., 0], masks[1] * 3 + masks[2] * 1)
    assert changed["label"] == row["label"] and changed["classes"] == row["classes"]
    same, none = without_low_scores(row, 0.25)
    assert none == 0 and same == row


def test_the_255_of_highest_score_fit_into_one_byte() -> None:
    masks = np.eye(300, dtype=bool).reshape(300, 15, 20)
    many = Instances.from_masks(
        masks=masks, classes=np.ones(300, np.int64), scores=np.linspace(1, 0, 300, dtype=np.float32)
    )
    row = to_row(0, Annotation(confidence=1.0, objects=many))
    assert len(row["objects"]["id"]) == 255 == annotation_image(many)[..., 1].max()

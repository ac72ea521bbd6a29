"""Shards become rows: joined, filtered, in the columns of each config; hand-made annotations, no model."""

import io
from dataclasses import replace

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_dm.exports.open_dataset import class_names
from dataset_dm.labels import rle
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.plan.configs import recipe
from dataset_dm.rows.columns import shown_classes
from dataset_dm.rows.filters import from_dict
from dataset_dm.rows.reader import ROUNDS, Rows
from dataset_dm.rows.splice_rows import mosaics
from dataset_dm.store.label_codec import each, label_rows
from dataset_dm.store.schema import IMAGE_ROWS, completed
from tests.annotations import CLASSES, HEIGHT, WIDTH, annotation, nothing, objects
from tests.plan.test_generation_plan import PLAN

CONFIGS = ("semantic", "instance", "depth", "keypoints", "all")
FIRST = 16


def image_rows(count: int, unsafe: tuple[int, ...] = ()) -> pa.Table:
    """Images of one colour each, numbered from FIRST."""
    indices = range(FIRST, FIRST + count)
    return pa.Table.from_pylist(
        [
            {
                "index": index,
                "attempt": 0,
                "seed": 1000 + index,
                "prompt": f"prompt {index}",
                "image": {"bytes": encode_png(np.full((HEIGHT, WIDTH, 3), index, np.uint8)), "path": None},
                "width": WIDTH,
                "height": HEIGHT,
                "unsafe": index - FIRST in unsafe,
            }
            for index in indices
        ],
        schema=IMAGE_ROWS,
    )


def rows_of(config: str, found: list[Annotation], asked: dict | None = None, unsafe: tuple[int, ...] = ()):
    """The Rows of a config and its table."""
    chosen = recipe("miniature", config)
    tasks = tuple(task.name for task in chosen.tasks)
    rows = Rows(replace(PLAN, classes=CLASSES, tasks=tasks), chosen.features, from_dict(asked, tasks))
    images, labels = image_rows(len(found), unsafe), label_rows(range(FIRST, FIRST + len(found)), found)
    return rows, rows.table("train", 100, images, labels)


def decoded(table: pa.Table) -> datasets.Dataset:
    """As `load_dataset` reads the same table from a parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file)
    return datasets.Dataset(pq.read_table(file), fingerprint="test")


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_reads_full_and_empty_images(config: str) -> None:
    empty = replace(annotation(nothing()), depth=np.zeros((HEIGHT, WIDTH), np.float32))
    rows, table = rows_of(config, [annotation(), empty, annotation()])
    made = decoded(table)
    assert made.column_names == list(rows.features(CLASSES)) and len(made) == 3
    for position, row in enumerate(made):
        assert np.asarray(row["image"])[0, 0].tolist() == [FIRST + position] * 3
        assert row["provenance"]["index"] == FIRST + position and row["provenance"]["seed"] == 1000 + FIRST + position
    full, blank = made[0], made[1]
    if "objects" in full:
        assert full["image_id"] == FIRST and (full["width"], full["height"]) == (WIDTH, HEIGHT)
        assert full["semantic_class_to_id"] == {"background": 0, "cat": 1, "dog": 2, "person": 3}
        assert len(full["objects"]["id"]) == 3 and blank["objects"]["bbox"] == []
        assert blank["quality"]["object_confidence"] is None
        assert ("keypoints" in full["objects"]) == (config in ("keypoints", "all"))
        for instance, mask in zip(each(full["objects"]), objects().masks, strict=True):
            np.testing.assert_array_equal(rle.decode(instance["segmentation"]), mask)
        assert np.asarray(full["annotation"]).shape == (HEIGHT, WIDTH, 3) and not np.asarray(blank["annotation"]).any()
    if "depth_map" in full:
        metres = np.asarray(full["depth_map"])
        assert metres.dtype == np.float32
        np.testing.assert_array_equal(metres, annotation().depth)
        assert not np.asarray(blank["depth_map"]).any() and blank["quality"]["depth_confidence"] is None
    if "label" in full:
        assert full["classes"] == [1, 2, 3] and blank["classes"] == []
        np.testing.assert_array_equal(np.asarray(full["label"]), annotation().label)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_batch_without_any_row_left_passes(config: str) -> None:
    rows, table = rows_of(config, [annotation()], unsafe=(0,))
    assert table.num_rows == 0 and table.schema == rows.schema and rows.dropped == {"unsafe": 1}


def test_fault_1_category_annotation_and_class_table_agree() -> None:
    _, table = rows_of("instance", [annotation()])
    made = decoded(table)
    row, names = made[0], class_names({"objects": made.features["objects"]})[1:]
    image = np.asarray(row["annotation"])
    for number, instance in enumerate(each(row["objects"]), start=1):
        red = image[image[..., 1] == number][:, 0]
        assert set(red.tolist()) == {row["semantic_class_to_id"][names[instance["category"]]]}
    assert [names[one] for one in row["objects"]["category"]] == ["dog", "person", "cat"]


def test_images_and_labels_are_the_shard_s_own_bytes() -> None:
    _, table = rows_of("all", [annotation(), annotation()], {"min_score": 0.25})
    stored = label_rows([FIRST], [annotation()]).to_pylist()[0]
    row = table.to_pylist()[0]
    assert row["image"] == image_rows(1).to_pylist()[0]["image"]
    assert (row["label"], row["annotation"], row["depth_map"]) == tuple(
        stored[name] for name in ("label", "annotation", "depth")
    )


def test_quality_has_what_was_read() -> None:
    _, table = rows_of("all", [annotation(), annotation(nothing())])
    full, empty = (row["quality"] for row in table.to_pylist())
    assert full["object_confidence"] == pytest.approx((0.875 + 0.5 + 0.25) / 3)
    assert (full["keypoint_confidence"], full["depth_confidence"], full["confidence"]) == (0.5, 0.5, 0.5)
    assert full["presence"] == [0.25, 1.0, 0.75]
    assert (empty["object_confidence"], empty["keypoint_confidence"]) == (None, None)
    _, table = rows_of("depth", [Annotation(confidence=0.5, depth=annotation().depth)])
    assert table.to_pylist()[0]["quality"] == {**dict.fromkeys(full), "confidence": 0.5}


def test_rows_are_dropped_and_counted_by_reason() -> None:
    sparse = annotation(nothing())
    found = [annotation(), sparse, annotation(), annotation()]
    rows, table = rows_of("all", found, {"min_objects": 1}, unsafe=(3,))
    assert table["image_id"].to_pylist() == [FIRST, FIRST + 2]
    assert rows.dropped == {"too_few_objects": 1, "unsafe": 1} and not rows.dropped_objects


def test_objects_of_low_scores_are_left_out_of_rows_that_stay_and_counted() -> None:
    found = [annotation(), annotation(nothing()), annotation()]
    rows, table = rows_of("all", found, {"min_score": 0.5}, unsafe=(2,))
    first = table.to_pylist()[0]
    assert first["objects"]["category"] == [1, 2] and rows.dropped_objects == {"low_score": 1}
    assert first["quality"]["object_confidence"] == pytest.approx((0.875 + 0.5) / 2)
    assert rows.dropped == {"unsafe": 1}
    rows, table = rows_of("instance", found, {"min_score": 1, "min_objects": 1})
    assert table.num_rows == 0 and rows.dropped == {"too_few_objects": 3} and not rows.dropped_objects


def test_shown_classes_by_label_or_by_objects() -> None:
    _, table = rows_of("semantic", [annotation(), annotation(nothing())])
    assert shown_classes(table) == [[1, 2, 3], []]
    _, table = rows_of("instance", [annotation(), annotation(nothing())])
    assert shown_classes(table) == [[1, 2, 3], []]
    _, table = rows_of("depth", [annotation()])
    assert shown_classes(table) == [[]]


def test_mosaics_are_rows_of_consecutive_samples() -> None:
    chosen = recipe("miniature", "all")
    tasks = tuple(task.name for task in chosen.tasks)
    plan = replace(PLAN, classes=CLASSES, tasks=tasks, splice=(1, 2))
    rows = Rows(plan, chosen.features, from_dict({"min_objects": 1}, tasks))
    found = [annotation(), annotation(nothing()), annotation(), annotation(), annotation(), annotation()]
    images, labels = image_rows(6, unsafe=(3,)), label_rows(range(FIRST, FIRST + 6), found)
    first, last = decoded(rows.table("train", 11, images, labels))
    assert rows.dropped == {"unsafe": 1}  # samples 18 and 19 are row 9
    assert (first["image_id"], last["image_id"]) == (FIRST // 2, FIRST // 2 + 2)
    assert first["prompt"] == f"prompt {FIRST} | prompt {FIRST + 1}"
    assert first["provenance"]["splice"] == "1x2" and first["provenance"]["seeds"] == [1016, 1017]
    assert [one["text"] for one in first["provenance"]["prompts"]] == [f"prompt {FIRST}", f"prompt {FIRST + 1}"]
    colours = np.asarray(first["image"])[..., 0]
    assert (colours[:, :4] == FIRST).all() and (colours[:, 4:] == FIRST + 1).all()
    # the person's one pixel, column 2, is not among the columns 1, 3, 5, 7 that a half as wide tile keeps
    assert first["objects"]["category"] == [1, 0] and rows.dropped_objects == {"mask_too_small": 3}
    assert first["quality"]["depth_confidence"] == pytest.approx(0.5)
    np.testing.assert_array_equal(np.asarray(first["depth_map"])[:, :4], annotation().depth[:, 1::2])
    assert not np.asarray(first["annotation"])[:, 4:].any()
    assert rows.table("train", FIRST // 2, images, labels).num_rows == 0


def test_objects_that_a_mosaic_has_no_room_for_are_counted() -> None:
    # 200 marks of 1 x 2 pixels on 20 rows; a half as wide tile keeps one pixel of each, its row has room for 255
    masks = np.zeros((200, 20, 20), bool)
    for number in range(200):
        masks[number, number // 10, 2 * (number % 10) : 2 * (number % 10) + 2] = True
    crowd = Annotation(confidence=0.5, objects=Instances.from_masks(masks, np.ones(200, int), np.ones(200, np.float32)))
    image = {"bytes": encode_png(np.zeros((20, 20, 3), np.uint8)), "path": None}
    samples = [{"index": i, "attempt": 0, "seed": i, "prompt": "", "requested": None, "image": image, "width": 20,
                "height": 20, "unsafe": False} for i in (0, 1)]  # fmt: skip
    schema = pa.schema([IMAGE_ROWS.field(name) for name in samples[0]])
    _, labels, lost = mosaics(pa.Table.from_pylist(samples, schema=schema), label_rows((0, 1), [crowd] * 2), (1, 2))
    assert len(labels["objects"][0].as_py()["score"]) == 255 and lost == [["too_many_objects"] * 145]


def test_agreement_is_a_quality_and_may_be_missing_in_old_shards() -> None:
    agreed = replace(annotation(), agreement=np.array([0.5, np.nan, 1], np.float32))
    rows, table = rows_of("semantic", [agreed])
    assert decoded(table)[0]["quality"]["agreement"] == [0.5, None, 1.0]
    images, labels = image_rows(2), label_rows(range(FIRST, FIRST + 2), [annotation(), annotation()])
    old = completed(labels.drop_columns(["agreement"]))
    assert rows.table("train", 100, images, old).equals(rows.table("train", 100, images, labels))
    assert {row["quality"]["agreement"] is None for row in decoded(rows.table("train", 100, images, old))} == {True}


def test_mosaics_of_old_shards() -> None:
    images, labels = image_rows(4), label_rows(range(FIRST, FIRST + 4), [annotation()] * 4)
    _, whole, _ = mosaics(images, completed(labels.drop_columns(["agreement"])), (2, 2))
    assert whole.column("agreement").to_pylist() == [None]


def shard(numbers: list[int], found: list[Annotation], unusable: dict[int, str] | None = None):
    """Image rows whose colour and seed are `numbers`, and label rows; indices from FIRST."""
    images = image_rows(len(numbers)).to_pylist()
    for position, (row, number) in enumerate(zip(images, numbers, strict=True)):
        row["image"]["bytes"] = encode_png(np.full((HEIGHT, WIDTH, 3), number, np.uint8))
        row |= {"seed": number, "attempt": number, "unusable": (unusable or {}).get(position)}
    return pa.Table.from_pylist(images, schema=IMAGE_ROWS), label_rows(range(FIRST, FIRST + len(found)), found)


def test_a_dropped_row_gives_way_to_the_first_round_in_which_it_passes() -> None:
    chosen = recipe("miniature", "instance")
    plan, keep = replace(PLAN, classes=CLASSES, tasks=("instance",)), from_dict({"min_objects": 1}, ["instance"])
    full, empty = annotation(), annotation(nothing())
    rounds = [
        shard([0, 1, 2, 3], [full, empty, empty, empty]),
        shard([10, 11, 12, 13], [empty, full, empty, full], {3: "constant"}),
        shard([20, 21, 22, 23], [full, full, full, full]),
    ]
    asked = []

    def again(number: int):
        asked.append(number)
        return rounds[number] if number < 3 else shard([0] * 4, [empty] * 4)

    rows = Rows(plan, chosen.features, keep, resample=True)
    # index 19 is beyond the count: nothing is drawn for it
    table = rows.table("train", 19, *rounds[0], again)
    origin = [row["provenance"] for row in table.to_pylist()]
    assert [(one["index"], one["seed"]) for one in origin] == [(16, 0), (17, 11), (18, 22)]
    assert [np.asarray(row["image"])[0, 0, 0] for row in decoded(table)] == [0, 11, 22]
    assert asked == [1, 2] and not rows.dropped and not rows.listed
    more = rows.table("train", 20, *rounds[0], again)
    assert more.slice(0, 3).equals(table) and more.to_pylist()[3]["provenance"]["seed"] == 23
    fewer = Rows(plan, chosen.features, keep)
    assert fewer.table("train", 20, *rounds[0], again).num_rows == 1
    assert fewer.listed == {"train": {"too_few_objects": [17, 18, 19]}} and fewer.dropped == {"too_few_objects": 3}
    assert rows.failing("train", 20, *rounds[0]) == {17, 18, 19}


def test_a_row_that_never_passes_is_dropped_after_the_last_round() -> None:
    chosen, asked = recipe("miniature", "instance"), []
    rows = Rows(replace(PLAN, classes=CLASSES, tasks=("instance",)), chosen.features, from_dict(None), resample=True)

    def again(number: int):
        asked.append(number)
        return shard([number], [annotation()], {0: "not_finite"})

    assert rows.table("train", 100, *shard([0], [annotation()], {0: "constant"}), again).num_rows == 0
    assert asked == [1, 2, 3, 4, 5] == list(range(1, ROUNDS)) and rows.listed == {"train": {"not_finite": [FIRST]}}


def test_near_duplicates_are_left_out_and_not_resampled() -> None:
    chosen = recipe("miniature", "instance")
    excluded = {"train": {17: "near_duplicate", 18: "near_photo"}, "train.1": {16: "near_duplicate"}}
    plan = replace(PLAN, classes=CLASSES, tasks=("instance",))
    rows = Rows(plan, chosen.features, from_dict({"min_objects": 1}), True, excluded)
    first = shard([0, 1, 2, 3], [annotation(nothing()), annotation(), annotation(nothing()), annotation()])
    table = rows.table("train", 100, *first, lambda number: shard([10, 11, 12, 13], [annotation()] * 4))
    # 16 passes in round 1, and that image is on the list; 18 fails, and its next image is not on it
    assert [row["provenance"]["seed"] for row in table.to_pylist()] == [12, 3]
    assert rows.listed == {"train": {"near_duplicate": [16, 17]}}
    spliced = Rows(replace(plan, splice=(1, 2)), chosen.features, from_dict(None), False, {"train": {17: "near_photo"}})
    table = spliced.table("train", 100, *shard([0, 1, 2, 3], [annotation()] * 4))
    assert table["image_id"].to_pylist() == [9] and spliced.listed == {"train": {"near_photo": [8]}}


def test_image_shards_of_earlier_versions_lack_the_reason() -> None:
    images = image_rows(2, unsafe=(1,)).drop_columns(["unusable"])
    labels = label_rows(range(FIRST, FIRST + 2), [annotation()] * 2)
    rows, _ = rows_of("semantic", [annotation()])
    assert rows.table("train", 100, images, labels).num_rows == 1 and rows.dropped == {"unsafe": 1}
    assert mosaics(images, labels, (1, 2))[0].column("unusable").to_pylist() == ["unsafe"]
    later, _ = shard([5, 6], [annotation()] * 2)
    mixed = Rows(rows.plan, rows.features, from_dict(None), True).table(
        "train", 100, images, labels, lambda _: (later, labels)
    )
    assert mixed.num_rows == 2

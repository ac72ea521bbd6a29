"""coco_synth, nyu_synth and the further configs of voc_synth, from the text to the row."""

from pathlib import Path

import datasets
import numpy as np
import pytest
from datasets import load_dataset

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders.coco_synth import CocoSynth
from dataset_dm.errors import ConfigError
from dataset_dm.exports.open_dataset import class_names
from dataset_dm.labels import rle
from dataset_dm.labels.coco import COCO_CLASSES, COCO_IDS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.store.label_codec import each


@pytest.fixture
def load(quick: dict, every_head: str, tmp_path: Path):
    def call(name: str, *config: str, **more: object):
        asked = {**quick, "annotator": every_head, "splits": {"train": 4}, **more}
        return load_dataset(f"dataset_dm/{name}", *config, cache_dir=str(tmp_path / "cache"), **asked)

    return call


def check_objects(row: dict, names: tuple[str, ...]) -> None:
    """Masks, boxes, areas, ids and both images of one row agree."""
    annotation = np.asarray(row["annotation"])
    objects = each(row["objects"])
    assert annotation[..., 1].max(initial=0) == len(objects)
    for number, one in enumerate(objects, start=1):
        mask = rle.decode(one["segmentation"])
        np.testing.assert_array_equal(annotation[..., 1] == number, mask)
        assert one["area"] == mask.sum() and tuple(one["bbox"]) == rle.box(mask)
        assert set(annotation[mask][:, 0].tolist()) == {row["semantic_class_to_id"][names[one["category"]]]}
        assert one["iscrowd"] == 0 and 0 <= one["score"] <= 1
        if "keypoints" in one:
            assert np.shape(one["keypoints"]) == (17, 3) and np.shape(one["keypoint_score"]) == (17,)
            shown = [joint for joint in one["keypoints"] if joint[2] > 0]
            assert one["num_keypoints"] == len(shown)
            assert not shown or names[one["category"]] == "person"


def test_all_labels_of_coco_in_one_row(load) -> None:
    made = load("coco_synth", "all", split="train")
    assert class_names({"objects": made.features["objects"]})[1:] == list(COCO_CLASSES)
    assert made["image_id"][:] == [0, 1, 2, 3]
    for row in made:
        check_objects(row, COCO_CLASSES)
        assert row["image"].size == (row["width"], row["height"]) == (128, 128)
        depth = np.asarray(row["depth_map"])
        assert depth.dtype == np.float32 and depth.shape == (128, 128) and depth.min() >= 0
        assert set(row["classes"]) == set(np.unique(np.asarray(row["label"])).tolist()) - {0, 255}
        assert None not in [row["quality"][name] for name in ("confidence", "uncertain", "depth_confidence")]


def test_one_pass_reads_what_single_tasks_read(load) -> None:
    """The labels of `all` are those of the config with that kind of label alone; the images are the same ones."""
    everything, objects, depth = (
        load(name, config, split="train", prompts=["two dogs"], classes=["dog", "person"])
        for name, config in (("coco_synth", "all"), ("coco_synth", "keypoints"), ("nyu_synth", "depth"))
    )
    for whole, one, metres in zip(everything, objects, depth, strict=True):
        np.testing.assert_array_equal(np.asarray(whole["image"]), np.asarray(one["image"]))
        assert whole["objects"]["category"] == one["objects"]["category"]
        np.testing.assert_array_equal(np.asarray(whole["annotation"]), np.asarray(one["annotation"]))
        np.testing.assert_allclose(np.asarray(whole["depth_map"]), np.asarray(metres["depth_map"]), rtol=1e-5)
        assert one["quality"]["depth_confidence"] is None and metres["quality"]["presence"] is None


def test_keypoints_prompts_name_a_person(load) -> None:
    made = load("coco_synth", "keypoints", split="train")
    assert all("person" in prompt or "people" in prompt for prompt in made["prompt"])
    for row in made:
        check_objects(row, COCO_CLASSES)


def test_coco_has_three_splits_and_stable_ids() -> None:
    assert CocoSynth.DEFAULT_CONFIG_NAME == "instance"
    assert CocoSynth.BUILDER_CONFIGS[0].counts() == {"train": 64, "validation": 16, "test": 16}
    assert (len(COCO_IDS), COCO_IDS["person"], COCO_IDS["tv"], COCO_IDS["toothbrush"]) == (80, 1, 72, 90)


def test_nyu_is_depth_alone_and_streams_the_same(load) -> None:
    stored = load("nyu_synth", split="train")
    assert stored.column_names == ["image", "depth_map", "prompt", "quality", "provenance"]
    streamed = list(load("nyu_synth", split="train", streaming=True))
    for a, b in zip(stored, streamed, strict=True):
        np.testing.assert_array_equal(np.asarray(a["depth_map"]), np.asarray(b["depth_map"]))
        assert a["quality"] == b["quality"]


def test_voc_instances_are_read_again_from_other_files(load, tmp_path: Path) -> None:
    made = load("voc_synth", "instance", split="train")
    assert class_names({"objects": made.features["objects"]})[1:] == list(VOC_CLASSES)
    made.to_parquet(tmp_path / "rows.parquet")
    again = datasets.Dataset.from_parquet(str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path / "other"))
    assert again.features == made.features and again["objects"][:] == made["objects"][:]


def test_filters_of_objects(load) -> None:
    everything = load("voc_synth", "instance", split="train")
    scores = sorted(score for row in everything for score in row["objects"]["score"])
    assert scores
    bound = scores[len(scores) // 2]
    kept = load("voc_synth", "instance", split="train", filters={"min_score": bound})
    assert len(kept) == len(everything)
    assert [score for row in kept for score in row["objects"]["score"]] == [
        score for row in everything for score in row["objects"]["score"] if score >= bound
    ]
    for row in kept:
        check_objects(row, VOC_CLASSES)
    with pytest.raises(ConfigError, match="min_depth_confidence needs labels of kind depth: got 'instance'"):
        load("voc_synth", "instance", split="train", filters={"min_depth_confidence": 0.5})


def test_images_without_anything(load) -> None:
    """A bound that no untrained score reaches leaves rows whose objects are empty lists, in every column."""
    made = load("coco_synth", "all", split="train", filters={"min_score": 1.0})
    assert len(made) == 4
    for row in made:
        assert row["objects"]["id"] == row["objects"]["keypoints"] == row["objects"]["segmentation"] == []
        assert not np.asarray(row["annotation"]).any()


def test_mosaics_of_every_label(load) -> None:
    """Rows are mosaics of a shard's samples, streamed or not, and another cache folder than the samples' own."""
    single = load("coco_synth", "all", split="train", splits={"train": 8}, shard_size=8)
    made = load("coco_synth", "all", split="train", splits={"train": 2}, shard_size=8, splice="2x2")
    streamed = list(
        load("coco_synth", "all", split="train", splits={"train": 2}, shard_size=8, splice=(2, 2), streaming=True)
    )
    assert len(made) == len(streamed) == 2 and made["image_id"][:] == [0, 1]
    for number, (row, again) in enumerate(zip(made, streamed, strict=True)):
        check_objects(row, COCO_CLASSES)
        assert row["objects"] == again["objects"] and row["provenance"] == again["provenance"]
        four = range(4 * number, 4 * number + 4)
        assert row["prompt"] == " | ".join(single[index]["prompt"] for index in four)
        assert row["provenance"]["seeds"] == [single[index]["provenance"]["seed"] for index in four]
        for place, index in enumerate(four):
            top, left = 64 * (place // 2), 64 * (place % 2)
            quarter = np.asarray(row["depth_map"])[top : top + 64, left : left + 64]
            np.testing.assert_array_equal(quarter, np.asarray(single[index]["depth_map"])[1::2, 1::2])

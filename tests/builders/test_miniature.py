"""`load_dataset("dataset_dm/miniature")`: renders with exact truth, in the columns of voc_synth."""

from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders.miniature import Miniature
from dataset_dm.errors import ConfigError
from dataset_dm.labels import rle
from dataset_dm.labels.records import features
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.plan.configs import CATALOGUE
from dataset_dm.store.label_codec import each


def load(tmp_path: Path, config: str = "semantic", **asked: object):
    return load_dataset("dataset_dm/miniature", config, cache_dir=str(tmp_path / "cache"), **asked)


def test_rows_are_the_world_itself(tmp_path: Path) -> None:
    sets = load(tmp_path, splits={"train": 18, "test": 2})
    assert {name: len(part) for name, part in sets.items()} == {"train": 18, "test": 2}
    for split, index in (("train", 0), ("train", 17), ("test", 1)):
        scene, rendering = labelled(split, index)
        row = sets[split][index]
        np.testing.assert_array_equal(np.asarray(row["image"]), rendering.image)
        np.testing.assert_array_equal(np.asarray(row["label"]), rendering.class_map)
        shown = sorted({int(value) for value in np.unique(rendering.class_map)} - {0})
        assert row["classes"] == shown
        assert row["quality"]["presence"] == [float(number in shown) for number in range(1, 21)]
        assert row["prompt"] == scene.captions[0]
        assert row["provenance"]["annotator"] == "truth"


@pytest.mark.parametrize("config", ["semantic", "instance", "depth", "keypoints", "all"])
def test_the_columns_are_those_of_the_generated_sets(tmp_path: Path, config: str) -> None:
    made = Miniature(cache_dir=str(tmp_path), config_name=config).info.features
    others = [name for name in ("voc_synth", "coco_synth", "nyu_synth") if config in CATALOGUE[name]]
    assert others
    for name in others:
        assert made == features(CATALOGUE[name][config].features(VOC_CLASSES))


def test_all_labels_are_the_world_s_own(tmp_path: Path) -> None:
    people = 0
    for index, row in enumerate(load(tmp_path, "all", split="train[25:30]", splits={"train": 30}), start=25):
        scene, rendering = labelled("train", index)
        np.testing.assert_array_equal(np.asarray(row["depth_map"]), rendering.depth)
        np.testing.assert_array_equal(np.asarray(row["annotation"])[..., 0], rendering.class_map)
        seen = [number for number in np.unique(rendering.instance_map).tolist() if number]
        for number, one in zip(seen, each(row["objects"]), strict=True):
            np.testing.assert_array_equal(rle.decode(one["segmentation"]), rendering.instance_map == number)
            assert one["category"] + 1 == scene.bodies[number - 1].class_id and one["score"] == 1
            joints = rendering.keypoints[number - 1]
            if joints is None:
                assert one["num_keypoints"] == 0 and not np.any(one["keypoints"])
                continue
            people += 1
            expected = np.where(joints[:, 2:] > 0, joints, 0)
            np.testing.assert_array_equal(np.array(one["keypoints"], np.float32), expected)
        assert row["quality"]["depth_confidence"] == 1
    assert people


def test_streaming_and_processes_give_the_same_rows(tmp_path: Path) -> None:
    stored = load(tmp_path, split="train", splits={"train": 20}, num_proc=2)
    streamed = list(load(tmp_path, split="train", splits={"train": 20}, streaming=True))
    assert len(stored) == len(streamed) == 20
    for a, b in zip(stored, streamed, strict=True):
        assert a["provenance"] == b["provenance"]
        assert np.array_equal(np.asarray(a["image"]), np.asarray(b["image"]))


def test_styles_show_the_same_scenes_in_another_light(tmp_path: Path) -> None:
    day, night = (load(tmp_path, split="test", splits={"test": 2}, style=style) for style in ("day", "night"))
    assert np.array_equal(np.asarray(day[0]["label"]), np.asarray(night[0]["label"]))
    assert not np.array_equal(np.asarray(day[0]["image"]), np.asarray(night[0]["image"]))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"style": "nite"}, "style: got 'nite', expected day or night or fog or palette; did you mean 'night'"),
        ({"splits": {"tset": 3}}, "unknown split 'tset'.*did you mean 'test'"),
        ({"num_images": "many"}, "num_images: got 'many'"),
        ({"generator": "miniature"}, "unknown argument 'generator'"),
        ({"seed": -1}, "seed: got -1"),
        ({"seed": 2**70}, "seed: got 1180591620717411303424, expected a whole number from 0 to 9223372036854775807"),
        ({"splits": {"test": 10**9}}, "at most 100000000 scenes"),
    ],
)
def test_bad_arguments(tmp_path: Path, asked: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, **asked)

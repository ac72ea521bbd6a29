"""A pushed set as the example scripts of transformers open it, in a process that has not our package."""

from collections.abc import Callable
from pathlib import Path

from tests.hub.loopback import LoopbackHub
from tests.hub.stores import make_store, push

SEMANTIC = """
import json
import numpy as np
from datasets import load_dataset
from huggingface_hub import hf_hub_download
with open(hf_hub_download("me/voc_synth", "id2label.json", repo_type="dataset")) as file:
    told["id2label"] = json.load(file)
train = load_dataset("me/voc_synth")["train"]
told["columns"] = [name for name in train.column_names if name in ("image", "label", "annotation", "pixel_values")]
told["ids"] = sorted({int(number) for row in train for number in np.unique(np.array(row["label"]))})
told["names"] = train.features["classes"].feature.names
"""
OBJECTS = """
import numpy as np
from datasets import load_dataset
sets = load_dataset("me/coco_synth")
told["splits"] = sorted(sets)
objects = sets["train"].features["objects"]
told["names"] = (objects["category"].feature if isinstance(objects, dict) else objects.feature["category"]).names
told["ids"] = sets["train"][0]["semantic_class_to_id"]
told["things"] = [[row["image_id"], row["objects"]["bbox"], row["objects"]["category"]] for row in sets["train"]]
told["pairs"] = [
    np.unique(np.array(row["annotation"])[..., :2].reshape(-1, 2), axis=0).tolist() for row in sets["train"]
]
stream = load_dataset("me/coco_synth", split="train", streaming=True)
told["streamed"] = [[row["image_id"], row["objects"]["bbox"], row["objects"]["category"]] for row in stream]
"""
PLAIN = """
import sys
import dataset_dm
from datasets import load_dataset
made = load_dataset("dataset_dm/miniature", "all", split="train", num_images=2)
made.push_to_hub("me/plain")
again = load_dataset("me/plain", split="train")
told["equal"] = again.features == made.features and again["objects"][:] == made["objects"][:]
told["streamed"] = [row["prompt"] for row in load_dataset("me/plain", split="train", streaming=True)]
told["prompts"] = made["prompt"][:]
"""


def test_semantic_segmentation(logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable) -> None:
    push(make_store(tmp_path / "set"), "me/voc_synth")
    told = elsewhere(SEMANTIC)
    assert list(map(int, told["id2label"])) == [0, 1, 2, 3]
    assert list(told["id2label"].values()) == told["names"] == ["background", "cat", "dog", "person"]
    assert told["columns"] == ["image", "label"]
    assert set(told["ids"]) <= {0, 1, 2, 3, 255} and {0, 1} <= set(told["ids"])


def test_detection_and_instance_segmentation(logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable) -> None:
    store = make_store(tmp_path / "set", "instance", train=4, validation=2, test=2)
    push(store, "me/coco_synth")
    told = elsewhere(OBJECTS)
    assert told["splits"] == ["test", "train", "validation"]
    assert told["names"] == ["cat", "dog", "person"]
    assert told["ids"] == {"background": 0, "cat": 1, "dog": 2, "person": 3}
    assert told["streamed"] == told["things"]
    assert [len(boxes) for _, boxes, _ in told["things"]] == [3, 0, 3, 0]
    for (_, _, categories), pairs in zip(told["things"], told["pairs"], strict=True):
        assert sorted(kind - 1 for kind, thing in pairs if thing) == sorted(categories)


def test_push_to_hub_of_datasets_itself(hub: LoopbackHub, elsewhere: Callable) -> None:
    from tests.hub.conftest import MINE

    told = elsewhere(PLAIN, ours=True, HF_TOKEN=MINE)
    assert told["equal"] and told["streamed"] == told["prompts"]

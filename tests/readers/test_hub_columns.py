"""Class tables of Hugging Face datasets: from ClassLabel columns, id2label.json or the user."""

import json

import datasets
import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import DataError
from dataset_dm.readers import open_labelled


def dataset_folder(root, names, labels):
    """A folder as `dataset-dm generate --out` writes it: parquet with embedded images."""
    rows = {
        "image": [Image.fromarray(np.full((6, 8, 3), 10 * i, np.uint8)) for i in range(len(labels))],
        "label": [Image.fromarray(np.asarray(label, np.uint8)) for label in labels],
    }
    features = {"image": datasets.Image(), "label": datasets.Image()}
    if names:
        rows["classes"] = [[1]] * len(labels)
        features["classes"] = datasets.Sequence(datasets.ClassLabel(names=names))
    root.mkdir()
    datasets.Dataset.from_dict(rows, features=datasets.Features(features)).to_parquet(root / "train.parquet")
    return root


def test_a_hugging_face_dataset_is_read(tmp_path):
    label = np.zeros((6, 8))
    label[2:, 3:], label[0] = 1, 255
    found = open_labelled(dataset_folder(tmp_path / "set", ["background", "forklift"], [label, label]))
    assert found.classes == ("forklift",) and len(found) == 2
    assert np.array_equal(found[1].label, label) and found[1].image[0, 0].tolist() == [10, 10, 10]


def test_class_names_come_from_id2label_too_and_without_background_all_ids_move_up(tmp_path):
    folder = dataset_folder(tmp_path / "set", None, [[[0, 1, 255]] * 6])
    with pytest.raises(DataError, match="--classes"):
        open_labelled(folder)
    (folder / "id2label.json").write_text(json.dumps({"0": "wall", "1": "floor"}))
    found = open_labelled(folder)
    assert found.classes == ("wall", "floor")


def test_ids_move_up_without_background(tmp_path):
    label = np.zeros((6, 8))
    label[:, 4:], label[0] = 1, 255
    folder = dataset_folder(tmp_path / "set", ["wall", "floor"], [label])
    assert np.unique(open_labelled(folder)[0].label).tolist() == [1, 2, 255]

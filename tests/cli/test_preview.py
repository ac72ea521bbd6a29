"""`dataset-dm preview DIR` for the columns of every config: a sheet is written, names come from the columns."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image, Sequence, Value
from PIL import Image as Pictures

from dataset_dm import cli
from dataset_dm.cli import preview
from dataset_dm.errors import DataError
from dataset_dm.exports.open_dataset import class_names
from dataset_dm.labels.rle import box, encode
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled

OBJECTS = {
    "id": Value("int64"),
    "area": Value("int64"),
    "bbox": Sequence(Value("float32"), 4),
    "category": ClassLabel(names=list(VOC_CLASSES)),
    "iscrowd": Value("int8"),
    "segmentation": {"size": Sequence(Value("int32")), "counts": Value("string")},
    "score": Value("float32"),
}
KEYPOINTS = {"keypoints": Sequence(Sequence(Value("float32"))), "num_keypoints": Value("int32")}
CLASSES = Sequence(ClassLabel(names=["background", *VOC_CLASSES]))
CONFIGS = {
    "semantic": {"label": Image(), "classes": CLASSES},
    "instance": {"objects": Sequence(OBJECTS), "annotation": Image()},
    "keypoints": {"objects": Sequence({**OBJECTS, **KEYPOINTS})},
    "depth": {"depth_map": Image()},
    "all": {
        "label": Image(),
        "classes": CLASSES,
        "objects": Sequence({**OBJECTS, **KEYPOINTS}),
        "annotation": Image(),
        "depth_map": Image(),
    },
}


def record(i: int) -> dict[str, Any]:
    """A render as a row of all columns."""
    scene, drawn = labelled("test", i)
    bodies = [j for j in range(len(scene.bodies)) if (drawn.instance_map == j + 1).any()]
    masks = [drawn.instance_map == j + 1 for j in bodies]
    painted = np.zeros((*drawn.class_map.shape, 3), np.uint8)
    for number, mask in enumerate(masks, start=1):
        painted[mask, 1] = number
    painted[..., 0] = drawn.class_map
    points = [np.zeros((17, 3)) if drawn.keypoints[j] is None else drawn.keypoints[j] for j in bodies]
    return {
        "image": Pictures.fromarray(drawn.image),
        "label": Pictures.fromarray(drawn.class_map),
        "classes": [int(c) for c in np.unique(drawn.class_map) if c],
        "objects": {
            "id": list(range(len(bodies))),
            "area": [int(mask.sum()) for mask in masks],
            "bbox": [box(mask) for mask in masks],
            "category": [scene.bodies[j].class_id - 1 for j in bodies],
            "iscrowd": [0] * len(bodies),
            "segmentation": [encode(mask) for mask in masks],
            "score": [0.9] * len(bodies),
            "keypoints": [p.tolist() for p in points],
            "num_keypoints": [int((p[:, 2] > 0).sum()) for p in points],
        },
        "annotation": Pictures.fromarray(painted),
        "depth_map": Pictures.fromarray(drawn.depth),
        "prompt": scene.captions[0],
        "quality": {"confidence": 0.5},
    }


def folder(config: str, at: Path) -> Path:
    features = {
        "image": Image(),
        **CONFIGS[config],
        "prompt": Value("string"),
        "quality": {"confidence": Value("float32")},
    }
    rows = []
    for i in (32, 37):
        row = {name: value for name, value in record(i).items() if name in features}
        if "objects" in row:
            known = features["objects"]
            inner = getattr(known, "feature", known)
            row["objects"] = {name: row["objects"][name] for name in inner}
        rows.append(row)
    at.mkdir()
    columns = {name: [row[name] for row in rows] for name in features}
    Dataset.from_dict(columns, features=Features(features)).to_parquet(at / "train.parquet")
    return at


@pytest.mark.parametrize(("config", "panels"), [(name, {"all": 5, "keypoints": 3}.get(name, 2)) for name in CONFIGS])
def test_every_config_is_drawn(
    config: str, panels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    source, out = folder(config, tmp_path / "set"), tmp_path / "sheet.png"
    assert cli.main(["preview", str(source), "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: ")
    side = {2: 384, 3: 256, 5: 256}[panels]
    tile = panels * (side + 6) - 6
    with Pictures.open(out) as drawn:
        width = drawn.width
    assert width - 56 == (tile if panels == 5 else 2 * tile + 28)


def test_names_come_from_the_columns() -> None:
    every = ["background", *VOC_CLASSES]
    for config in ("semantic", "instance", "all"):
        assert class_names(Features(CONFIGS[config])) == every
    assert class_names(Features({"objects": OBJECTS})) == every
    assert class_names(Features({"objects": {**OBJECTS, "category": Sequence(OBJECTS["category"])}})) == every
    assert class_names(Features(CONFIGS["depth"])) == []


def test_a_folder_without_labels_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    Dataset.from_dict({"image": [Pictures.new("RGB", (4, 4))]}).to_parquet(tmp_path / "set" / "train.parquet")
    assert cli.main(["preview", str(tmp_path / "set"), "--out", str(tmp_path / "sheet.png")]) == 2
    said = capsys.readouterr().err.strip().splitlines()  # bars of `datasets` come before
    assert said[-1].endswith(
        "no column with labels: got 'image', expected one of label, objects, annotation, depth_map"
    )
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(("more", "said"), [(["--config", "foo"], "'foo'"), ([], "cannot be loaded")])
def test_what_cannot_be_loaded_is_one_line(
    more: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.parquet").write_bytes(b"PAR1 and then nothing")
    assert cli.main(["preview", str(tmp_path / "set"), *more, "--out", str(tmp_path / "sheet.png")]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: SOURCE ") and said in last


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    preview.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def semantic(tmp_path: Path) -> Path:
    features = Features(
        {
            "image": Image(),
            "label": Image(),
            "classes": Sequence(ClassLabel(names=["background", "car"])),
            "prompt": Value("string"),
        }
    )
    label = np.zeros((32, 32), dtype=np.uint8)
    label[8:20, 8:20] = 1
    rows = {
        "image": [Pictures.new("RGB", (32, 32), (i, 90, 90)) for i in range(5)],
        "label": [Pictures.fromarray(label)] * 5,
        "classes": [["car"]] * 5,
        "prompt": [f"car number {i}" for i in range(5)],
    }
    (tmp_path / "set" / "train").mkdir(parents=True)
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "set" / "train" / "0.parquet")
    return tmp_path / "set"


def test_preview_of_a_folder(semantic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "sheet.png"
    assert preview.run(parse(str(semantic), "--rows", "3", "--out", str(out))) == 0
    assert capsys.readouterr().out.startswith(f"{out}: ")
    with Pictures.open(out) as drawn:
        assert drawn.width > 800


def test_preview_mistakes_are_one_line(semantic: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"split: got 'trian'.*did you mean 'train'"):
        preview.run(parse(str(semantic), "--split", "trian"))
    with pytest.raises(DataError, match="^rows: got 0"):
        preview.run(parse(str(semantic), "--rows", "0"))
    with pytest.raises(DataError, match="^start: got 9"):
        preview.run(parse(str(semantic), "--start", "9"))
    with pytest.raises(DataError, match="did you mean 'voc_synth'"):
        preview.run(parse("voc_synht"))

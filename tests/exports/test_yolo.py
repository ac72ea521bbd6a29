"""Ultralytics' folder: data.yaml, label lines, reviewed boxes."""

from pathlib import Path

import numpy as np
import yaml

from dataset_dm.exports import export_set
from tests.exports.sets import CLASSES, FIRST, LAST


def test_yolo_is_ultralytics_folder(exports: dict[str, Path]) -> None:
    for name, classes in {"yolo": CLASSES, "yolo-seg": CLASSES, "yolo-pose": ["person"]}.items():
        root = exports[name]
        content = yaml.safe_load((root / "data.yaml").read_text())
        assert (content["train"], content["val"]) == ("images/train", "images/val") and "path" not in content
        assert content["names"] == dict(enumerate(classes))
        for split in ("train", "val"):
            images = {file.stem for file in (root / "images" / split).iterdir()}
            assert images == {file.stem for file in (root / "labels" / split).iterdir()}
    assert content["kpt_shape"] == [17, 3] and content["flip_idx"][:5] == [0, 2, 1, 4, 3]
    lines = (exports["yolo"] / "labels" / "train" / f"{FIRST}.txt").read_text().splitlines()
    # the dog spans columns 1..9 and rows 1..13 of 24 by 20
    assert lines[0] == "1 0.2291667 0.375 0.375 0.65"
    assert (exports["yolo"] / "labels" / "train" / "train_000000_000018.txt").read_text() == ""
    pose = (exports["yolo-pose"] / "labels" / "train" / f"{LAST}.txt").read_text().splitlines()
    assert [len(line.split()) for line in pose] == [56, 56] and set(pose[0].split()[5:]) == {"0"}
    for line in (exports["yolo-seg"] / "labels" / "train" / f"{FIRST}.txt").read_text().splitlines():
        shares = np.array(line.split()[1:], float)
        assert len(shares) % 2 == 0 and len(shares) >= 6 and shares.min() >= 0 and shares.max() <= 1


def test_yolo_names_a_val_split_even_without_one(hand_set: Path, tmp_path: Path) -> None:
    export_set(str(hand_set), "yolo", tmp_path / "out", splits=["train"])
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["val"] == "images/train"
    assert not (tmp_path / "out" / "images" / "val").exists()

"""Segmenters of generated sets: trained once, complete or missing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_dm.engine import Engine
from dataset_dm.errors import DataError
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.resolve import resolve
from dataset_dm.training.generated import read_generated
from dataset_dm.training.segmenter import SegmenterConfig
from dataset_dm.training.self_training import ensure_segmenter, segmenter_folder

TINY = SegmenterConfig(steps=3, batch=2, warmup=1, held_out=0.25)


@pytest.fixture
def made(quick: dict[str, object]) -> object:
    """A plan of four images in the store, and their number."""
    asked = {name: value for name, value in quick.items() if name != "device"}
    plan = resolve(SEMANTIC, **asked)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 4})
    return plan


def test_a_segmenter_is_trained_once_and_lies_there_whole(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = read_generated(made, "train", 4)
    assert len(images) == 4 and images.classes == made.classes
    assert images[0].image.shape == (128, 128, 3) and images[0].label.shape == (128, 128)
    assert [tuple(made.classes[i] for i in named) for named in images.named] == [
        tuple(sorted(made.prompt("train", i).classes, key=made.classes.index)) for i in range(4)
    ]
    steps: list[int] = []
    folder = ensure_segmenter(made, "train", 4, TINY, device="cpu", report=steps.append)
    assert folder == segmenter_folder(made, "train", 4, TINY) and steps == [1, 1, 1]
    assert sorted(file.name for file in folder.iterdir()) == [
        "config.json", "model.safetensors", "preprocessor_config.json",
    ]  # fmt: skip
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name], "nothing is left beside it"
    said = json.loads((folder / "config.json").read_text())["dataset_dm"]
    assert said["trained_on"]["labels"] == made.label_fingerprint and said["temperature"] > 0
    assert said["trained_on"]["annotator_hash"] == made.annotator_hash
    teacher = {"annotator": made.annotator_reference, "teacher_weight": 1.0, "hash": made.annotator_hash}
    assert said["teacher"] == teacher
    assert ensure_segmenter(made, "train", 4, TINY, device="cpu", report=steps.append) == folder and len(steps) == 3
    others = {
        segmenter_folder(made, "train", 3, TINY), segmenter_folder(made, "test", 4, TINY),
        segmenter_folder(made, "train", 4, SegmenterConfig(steps=4)),
        segmenter_folder(made, "train", 4, replace(TINY, teacher_weight=0.0)),
        segmenter_folder(made, "train", 4, TINY, {"min_confidence": 0.5}),
    }  # fmt: skip
    assert len(others | {folder}) == 6

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_segmenter(made, "train", 3, TINY, device="cpu", report=interrupted)
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]
    with pytest.raises(DataError, match="none of 4 samples can be trained on .low_confidence 4.; loosen"):
        ensure_segmenter(made, "train", 4, TINY, filters={"min_confidence": 1}, device="cpu")

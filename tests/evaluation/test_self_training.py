"""Self-training on a few images of the embedded generator."""

from pathlib import Path

import pytest
import torch

from dataset_dm.cli import evaluate
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation import self_training
from dataset_dm.evaluation.self_training import measure_self_training
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge
from dataset_dm.plan.resolve import resolve
from dataset_dm.store.plans import stores
from dataset_dm.training.segmenter import SegmenterConfig
from dataset_dm.training.self_training import segmenter_folder


def test_a_round_of_self_training_is_scored_on_the_same_images(quick: dict[str, object], tmp_path: Path) -> None:
    plan = resolve(SEMANTIC, classes=VOC_CLASSES, **{name: quick[name] for name in quick if name != "device"})
    judge = Judge.load()
    config = SegmenterConfig(steps=2, batch=2, warmup=0)
    report = measure_self_training(plan, judge, 3, 1, config, "cpu", train_on=4).report
    assert segmenter_folder(plan, "train", 4, config).is_dir() and "the first 4 images" in report.notes[0]
    images, labels = stores(plan)
    by_hand = Confusion(21)
    for image, row in zip(images.read("train", 0).to_pylist()[:3], labels.read("train", 0).to_pylist(), strict=False):
        truth = judge.segment(torch.from_numpy(decode_png(image["image"]["bytes"]))[None])[0].numpy()
        by_hand.add(decode_png(row["full"]["bytes"]), truth)
    assert report.figures["round_0_miou"] == by_hand.miou()
    gain = report.figures["round_1_miou"] - report.figures["round_0_miou"]
    assert report.figures["gain_of_one_round"] == gain == report.tables[0].rows[1][3]
    assert len(list((tmp_path / "home" / "images").iterdir())) == 1
    assert len(list((tmp_path / "home" / "labels").iterdir())) == 2


def test_options_and_their_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    args = evaluate.parse(["self-training"])
    assert (args.num, args.annotator, args.rounds, args.append_classes) == (500, "attention", 1, False)
    with pytest.raises(SystemExit):
        evaluate.parse(["self-training", "--num", "0"])
    assert "argument --num: got '0', expected a whole number of at least 1" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="segmenter: unknown key 'step'"):
        self_training.run(evaluate.parse(["self-training", "--segmenter", "step=3"]))

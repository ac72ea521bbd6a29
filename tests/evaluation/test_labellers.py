"""Measurements that compare labellers, on a few images of the embedded generator."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators.base import Pictures
from dataset_dm.annotators.combined import CombinedAnnotator
from dataset_dm.cli import evaluate_annotators
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation.agreement import measure_agreement
from dataset_dm.evaluation.self_training import measure_self_training
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.records import VOID, Annotation
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


class Says:
    """A labeller that says one class on the left half and another on the right, and how sure it is of both."""

    fingerprint, classes, tasks, levels = "0" * 16, (), ("semantic",), ()

    def __init__(self, name: str, halves: tuple[int, int], sure: tuple[float, float]) -> None:
        self.name, self.halves, self.sure = name, halves, sure

    def look(self, backbone: object, pictures: Pictures, classes: object) -> int:
        return len(pictures)

    def annotate(self, seen: int, *rest: object, **more: object) -> list[Annotation]:
        full = np.repeat(np.array([self.halves], np.uint8), 2, axis=1).repeat(4, axis=0)
        chance = np.repeat(np.array([self.sure], np.float32), 2, axis=1).repeat(4, axis=0)
        label = np.where(chance < 0.3, np.uint8(VOID), full)
        presence = np.zeros(20, np.float32)
        one = Annotation(confidence=float(chance.mean()), label=label, full=full, probability=chance, presence=presence)
        return [one] * seen


class Halves(Judge):
    """A judge that says class 1 on the left half and class 2 on the right."""

    def __init__(self) -> None:
        """No net is needed."""

    def segment(self, images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1, 1, 2, 2], dtype=torch.uint8).expand(len(images), 4, 4)


def test_agreement_is_ranked_against_confidence_by_hand() -> None:
    # the first is wrong on the right and surer there than where it is right; the second is right everywhere
    pair = CombinedAnnotator([Says("first", (1, 3), (0.6, 0.7)), Says("second", (1, 2), (0.9, 0.5))])
    pictures = Pictures(
        images=torch.zeros(2, 4, 4, 3, dtype=torch.uint8), latents=torch.zeros(2, 1, 1, 1),
        prompts=["", ""], seeds=[0, 1], named=[[0], [0]],
    )  # fmt: skip
    report = measure_agreement(None, pair, Halves(), [pictures], 2).report
    figures = report.figures
    assert figures["labeller_0_pixel_auroc_confidence"] == 0 and figures["labeller_0_pixel_auroc_agreement"] == 1
    assert np.isnan(figures["labeller_1_pixel_auroc_confidence"]), "it is never wrong"
    # classes 1, 2, 3: 1 of the first's; 1/2 of the second's
    assert figures["labeller_0_miou"] == pytest.approx(1 / 3) and figures["labeller_1_miou"] == 1
    assert figures["together_miou"] == pytest.approx(1 / 3), "the surest decides, here the wrong one"
    rows = {row[0]: row for row in report.tables[0].rows}
    assert rows["together"][2:4] == [1, 0.5], "where they differ is void: class 1 is left"


def test_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    kinds = parser.add_subparsers(dest="measurement")
    evaluate_annotators.add_arguments(kinds)
    assert set(evaluate_annotators.WHAT) == set(evaluate_annotators.MEASURE) == set(kinds.choices)
    args = parser.parse_args(["self-training"])
    assert (args.num, args.annotator, args.rounds, args.append_classes) == (500, "attention", 1, False)
    with pytest.raises(SystemExit):
        parser.parse_args(["self-training", "--num", "0"])
    assert "argument --num: got '0', expected a whole number of at least 1" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="unknown setting 'step'"):
        evaluate_annotators.MEASURE["self-training"](parser.parse_args(["self-training", "--segmenter", "step=3"]))
    with pytest.raises(ConfigError, match="--annotator: got 'miniature', expected two or more"):
        evaluate_annotators.MEASURE["agreement"](parser.parse_args(["agreement", "--annotator", "miniature"]))

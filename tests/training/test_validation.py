"""Held-out figures, worked out by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.decoder import Targets
from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.truth import Truth
from dataset_dm.training.validation import ENOUGH, Figures, Read, _Tally, truth_of


@pytest.mark.parametrize(
    ("figures", "score"),
    [
        (Figures(), 0.0),
        (Figures(miou=0.5), 0.5),
        (Figures(miou=0.5, mask_ap50=0.3, mask_ap=0.9), 0.4),
        (Figures(miou=0.5, delta1=0.9, keypoint_ap=0.1, people=ENOUGH), 0.5),
        (Figures(miou=0.5, keypoint_ap=0.1, people=ENOUGH - 1), 0.5),
        (Figures(keypoint_ap=0.1, people=1), 0.1),
    ],
)
def test_the_score_is_the_mean_of_what_was_measured(figures: Figures, score: float) -> None:
    assert figures.score == pytest.approx(score)


def test_figures_of_one_image() -> None:
    """Four pixels of a dog: two found, one of them void as stored; depth a factor of 1.1 and 2 off."""
    true = np.array([[1, 1], [0, 0]], np.uint8)
    full = np.array([[1, 0], [0, 0]], np.uint8)
    stored = np.array([[1, 255], [0, 0]], np.uint8)
    annotation = Annotation(
        confidence=1.0,
        full=full,
        label=stored,
        probability=np.ones((2, 2), np.float32),
        depth=np.array([[1.1, 2.0]], np.float32),
    )
    tally = _Tally(("dog",))
    tally.add(Read(annotation, Truth(true, None, np.array([[1.0, 1.0]], np.float32))))
    figures = tally.figures()
    assert figures.accuracy == pytest.approx(0.75)
    assert figures.class_iou == pytest.approx((2 / 3, 1 / 2)) and figures.miou == pytest.approx(7 / 12)
    assert figures.void_share == pytest.approx(0.25) and figures.miou_without_void == pytest.approx(1)
    assert figures.rel == pytest.approx(0.55) and figures.delta1 == pytest.approx(0.5)
    assert np.isnan(figures.mask_ap) and figures.people == 0


def test_the_truth_of_an_image_is_plain_arrays() -> None:
    targets = Targets(
        labels=torch.tensor([[[0, 255]], [[2, 1]]]),
        instances=torch.tensor([[[0, 0]], [[1, 0]]]),
        classes=(torch.zeros(0, dtype=torch.long), torch.tensor([2])),
        depth=torch.tensor([[[1.0, 1.0]], [[2.0, float("nan")]]]),
    )
    truth = truth_of(targets, 1)
    assert truth.label.tolist() == [[2, 1]] and truth.depth.tolist() == [[2.0, 0.0]]
    assert truth.instances.map.tolist() == [[1, 0]] and truth.instances.classes.tolist() == [2]

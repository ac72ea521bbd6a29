"""Agreement and confidence of two annotators by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.annotators.base import ImageAnnotator
from dataset_dm.annotators.combined import CombinedAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.cli import evaluate
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation import agreement
from dataset_dm.evaluation.agreement import measure_agreement
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.miniature.judge import Judge


class Says(ImageAnnotator):
    """An annotator that says one class on the left half and another on the right, with a confidence for each."""

    fingerprint, classes, tasks = "0" * 16, (), ("semantic",)

    def __init__(self, name: str, halves: tuple[int, int], confidence: tuple[float, float]) -> None:
        self.name, self.halves, self.confidence = name, halves, confidence

    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        full = np.repeat(np.array([self.halves], np.uint8), 2, axis=1).repeat(4, axis=0)
        chance = np.repeat(np.array([self.confidence], np.float32), 2, axis=1).repeat(4, axis=0)
        label = np.where(chance < 0.3, np.uint8(VOID), full)
        presence = np.zeros(20, np.float32)
        one = Annotation(confidence=float(chance.mean()), label=label, full=full, probability=chance, presence=presence)
        return [one] * len(request.batch)


class Halves(Judge):
    """A judge that says class 1 on the left half and class 2 on the right."""

    def __init__(self) -> None:
        """No net is needed."""

    def segment(self, images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1, 1, 2, 2], dtype=torch.uint8).expand(len(images), 4, 4)


def test_agreement_is_ranked_against_confidence_by_hand() -> None:
    # the first is wrong on the right with more confidence there than where it is right; the second is right everywhere
    pair = CombinedAnnotator([Says("first", (1, 3), (0.6, 0.7)), Says("second", (1, 2), (0.9, 0.5))])
    batch = ImageBatch(
        images=torch.zeros(2, 4, 4, 3, dtype=torch.uint8),
        prompts=["", ""], seeds=[0, 1], named=[[0], [0]],
    )  # fmt: skip
    report = measure_agreement(None, pair, Halves(), [batch], 2).report
    figures = report.figures
    assert figures["annotator_0_pixel_auroc_confidence"] == 0 and figures["annotator_0_pixel_auroc_agreement"] == 1
    assert np.isnan(figures["annotator_1_pixel_auroc_confidence"]), "it is never wrong"
    # classes 1, 2, 3: 1 of the first's; 1/2 of the second's
    assert figures["annotator_0_miou"] == pytest.approx(1 / 3) and figures["annotator_1_miou"] == 1
    assert figures["together_miou"] == pytest.approx(1 / 3), "the most confident decides, here the wrong one"
    rows = {row[0]: row for row in report.tables[0].rows}
    assert rows["together"][2:4] == [1, 0.5], "where they differ is void: class 1 is left"


def test_one_annotator_is_refused() -> None:
    with pytest.raises(ConfigError, match="--annotator: got 'miniature', expected two or more"):
        agreement.run(evaluate.parse(["agreement", "--annotator", "miniature"]))

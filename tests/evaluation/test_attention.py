"""Labels without training: which classes are asked for, figures on a few images, mistakes of the user."""

import argparse

import pytest

from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.cli import evaluate
from dataset_dm.diffusion import SamplerConfig
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation.attention import measure_attention, naming, with_absent
from dataset_dm.evaluation.sources import drawn
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge

ONE_STEP, FOUR_STEPS = (SamplerConfig(steps=steps, guidance=2.0) for steps in (1, 4))


def test_absent_classes_are_added_and_the_unnamed_left_out(backbone):
    (batch,) = drawn(backbone, 2, 2, sampler=ONE_STEP)
    asked = with_absent(batch)
    for before, after in zip(batch.named, asked.named, strict=True):
        assert set(before) < set(after) and len(after) == len(before) + 2
    assert with_absent(batch).named == asked.named, "by the seeds, not by chance"
    batch.named[0] = []
    (left,) = naming([batch])
    assert len(left) == 1 and left.prompts == batch.prompts[1:]


def test_figures_of_two_images(backbone):
    judge, batches = Judge.load(), list(drawn(backbone, 2, 2, sampler=FOUR_STEPS))
    annotator = AttentionAnnotator()
    outcome = measure_attention(backbone, judge, lambda: batches, 2, annotator)
    expected = Confusion(21)
    for batch in batches:
        for said, truth in zip(
            annotator.annotate(annotator.read(AnnotationRequest(batch=batch, classes=VOC_CLASSES), backbone)),
            judge.segment(batch.images).numpy(),
            strict=True,
        ):
            expected.add(said.full, truth)
    assert expected.matrix[:, 1:].sum() > 0, "something is labelled"
    assert outcome.report.figures["miou"] == expected.miou()
    assert {"presence_auc", "presence_auc_named_alone"} <= set(outcome.report.figures)
    assert set(outcome.plots) == {"confusion_attention.png", "calibration.png", "presence.png"}


@pytest.mark.parametrize(
    ("annotator", "said"),
    [('attention:{"powr":1}', "did you mean 'power'"), ("miniature", "expected attention or attention:")],
)
def test_mistakes_are_found_before_anything_is_generated(annotator, said):
    with pytest.raises(ConfigError, match=said):
        evaluate.run(argparse.Namespace(measurement="attention", options=["--annotator", annotator]))

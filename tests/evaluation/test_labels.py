"""Figures of labels: images, truth and labels stay together; batches do not matter."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import Backbone, feature_spec
from dataset_dm.evaluation import labels, sources
from dataset_dm.evaluation.labels import measure_labels
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.depth import DepthErrors
from dataset_dm.metrics.groups import Split
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge
from dataset_dm.miniature.world import labelled
from tests.evaluation.conftest import Threshold, bright


def test_labels_meet_their_own_truth(backbone: Backbone) -> None:
    annotator = Threshold()
    runs = labels.on_renders(backbone, annotator, sources.renders(5, 2), 5, prompted=(False, True))
    expected, errors = Confusion(21), DepthErrors()
    for i in range(5):
        _, rendering = labelled("test", i)
        expected.add(bright(rendering.image), rendering.class_map)
        errors.add(np.full_like(rendering.depth, 5), rendering.depth)
    for run in runs:
        assert np.array_equal(run.tasks["semantic"].every.matrix, expected.matrix)
        assert run.figures()["depth_rel"] == pytest.approx(errors.figures()["rel"])
    assert annotator.requests[0] is None, "unprompted: any class"
    assert annotator.requests[1] == [list(positions) for positions in next(sources.renders(2, 2)).inputs.named]


def test_a_prompt_changes_what_is_read(backbone: Backbone) -> None:
    torch.manual_seed(0)
    decoder = PDecoder(PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, width=32, instance_width=32))
    from dataset_dm.annotators.p_decoder import PDecoderAnnotator

    annotator = PDecoderAnnotator(decoder, name="random", fingerprint="0" * 16)
    batch = next(sources.renders(2, 2))

    def labelled_by(prompted: bool, levels: dict[str, torch.Tensor] | None = None) -> list[Annotation]:
        request = labels.asked(replace(batch.inputs, levels=levels), prompted=prompted)
        return annotator.annotate(annotator.read(request, backbone))

    prompted, unprompted = labelled_by(True), labelled_by(False)
    levels = annotator.read(labels.asked(batch.inputs, prompted=True), backbone).reading.levels
    again = labelled_by(False, {name: levels[name] for name in annotator.levels})
    assert prompted[0].probability is not None and prompted[0].probability.shape == (128, 128)
    assert np.array_equal(unprompted[0].probability, again[0].probability)
    assert not np.array_equal(prompted[0].probability, unprompted[0].probability)


def test_generated_images_come_from_the_store(backbone: Backbone, judge: Judge, plan, tmp_path: Path) -> None:
    first = list(sources.stored(plan, 3, device="cpu"))
    assert [len(batch) for batch in first] == [2, 1]
    assert first[0].prompts[1] == plan.prompt("train", 1).text
    assert [VOC_CLASSES[i] for i in first[0].named[0]] == list(plan.prompt("train", 0).classes)
    assert first[1].seeds == [plan.sample_seed("train", 2)]
    from dataset_dm.annotators import load

    annotator = load(plan.annotator, device="cpu")
    outcome = measure_labels(backbone, annotator, judge, count=3, batch=2, on_renders=False, plan=plan, device="cpu")
    assert 0 <= outcome.report.figures["generated_miou"] <= 1
    assert outcome.report.figures["generated_one_class_found"] is not None
    outcome.save(tmp_path / "report")
    written = {file.name for file in (tmp_path / "report").iterdir()}
    assert {"report.json", "report.md", "confusion_generated.png", "calibration.png", "worst_generated.png"} <= written


def test_all_tasks_on_renders(backbone: Backbone, everything: Path, tmp_path: Path) -> None:
    from dataset_dm.annotators import load

    annotator = load(str(everything), device="cpu")
    outcome = measure_labels(
        backbone, annotator, None, count=3, batch=3, split=Split(unseen=(6, 11), tail=(6,)), device="cpu"
    )
    figures = outcome.report.figures
    for reading in ("unprompted", "prompted"):
        for name in ("miou", "boundary_f", "ece", "mask_ap", "box_ap75", "depth_rel", "depth_delta1"):
            assert figures[f"renders_{reading}_{name}"] >= 0, name
        assert {f"renders_{reading}_{name}" for name in ("oks_ap", "keypoint_ece", "object_ece", "depth_ece")} <= set(
            figures
        )
        assert {f"renders_{reading}_{name}_miou" for name in ("seen", "unseen", "harmonic")} <= set(figures)
    assert any("unseen classes: car, dog" in note for note in outcome.report.notes)
    outcome.save(tmp_path / "report")
    written = {file.name for file in (tmp_path / "report").iterdir()}
    assert {"worst_renders.png", "worst_instances.png", "worst_keypoints.png", "worst_depth.png"} <= written
    parts = ("", "_instances", "_keypoints", "_depth")
    assert {f"calibration{part}.png" for part in parts} <= written

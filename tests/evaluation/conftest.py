"""A judge, annotators and a plan for the tests of measurements."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators.base import ImageAnnotator
from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import Backbone, feature_spec
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC, TASKS
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.miniature.judge import Judge, JudgeNet
from dataset_dm.plan.resolve import resolve


class Threshold(ImageAnnotator):
    """An annotator whose answer can be worked out from the image: bright pixels are cars, others background."""

    name, fingerprint, classes, tasks = "threshold", "0" * 16, VOC_CLASSES, ("semantic", "depth")

    def __init__(self) -> None:
        self.requests: list[object] = []

    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        self.requests.append(request.requested)
        full = bright(request.batch.images.numpy())
        ones = np.ones(full.shape[1:], np.float32)
        more = {"probability": ones, "depth": 5 * ones, "depth_confidence": ones}
        return [Annotation(confidence=1.0, label=each, full=each, **more) for each in full]


def bright(images: np.ndarray) -> np.ndarray:
    return np.where(images[..., 0] > 128.5, 7, 0).astype(np.uint8)


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(JudgeNet())


def confusion_of(prediction: np.ndarray, truth: np.ndarray) -> Confusion:
    confusion = Confusion(21)
    confusion.add(prediction, truth)
    return confusion


@pytest.fixture
def plan(backbone: Backbone, generator_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A plan of shards of two images, one step each, with a random decoder."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    config = PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, width=32, instance_width=32)
    PDecoder(config).save_pretrained(tmp_path / "decoder")
    asked = {"generator": str(generator_folder), "annotator": str(tmp_path / "decoder"), "shard_size": 2}
    return resolve(SEMANTIC, **asked, sampler={"steps": 1, "guidance": 0.0})


@pytest.fixture
def everything(backbone: Backbone, tmp_path: Path) -> Path:
    """A random decoder with heads for all tasks."""
    torch.manual_seed(0)
    more = {"classes": VOC_CLASSES, "tasks": tuple(TASKS), "width": 32, "instance_width": 32}
    PDecoder(PDecoderConfig(spec=feature_spec(backbone), **more)).save_pretrained(tmp_path / "all")
    return tmp_path / "all"

"""A segmenter together with its teacher, here the training-free annotator."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.annotators.segmenter import write_segmenter
from dataset_dm.annotators.segmenter_with_teacher import StudentAnnotator
from dataset_dm.errors import ModelError
from dataset_dm.evaluation.sources import renders
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.training.segmenter import build


def student_folder(folder: Path, weight: float, teacher_hash: str | None = None, key: str = "teacher_weight") -> str:
    torch.manual_seed(3)
    known = AttentionAnnotator().fingerprint if teacher_hash is None else teacher_hash
    teacher = {"annotator": "attention", key: weight, "hash": known}
    settings = {"temperature": 0.5, "void_below": 0.1, "teacher": teacher}
    write_segmenter(folder / f"student{weight}{key}", build(VOC_CLASSES, (128, 128)), settings)
    return str(folder / f"student{weight}{key}")


@pytest.fixture(scope="module")
def request_() -> AnnotationRequest:
    (batch,) = renders(2, 2)
    images = batch.inputs
    return AnnotationRequest(batch=images, classes=VOC_CLASSES, requested=[list(named) for named in images.named])


def labels(annotator: Annotator, backbone, request: AnnotationRequest) -> np.ndarray:
    return np.stack([one.full for one in annotator.annotate(annotator.read(request, backbone))])


def test_the_teacher_counts_for_nothing_everything_or_in_part(
    backbone, request_: AnnotationRequest, tmp_path: Path
) -> None:
    none, all_, both = (load(student_folder(tmp_path, weight), device="cpu") for weight in (0.0, 60.0, 0.5))
    for one in (none, all_, both):
        assert isinstance(one, StudentAnnotator) and isinstance(one, Annotator) and one.needs_generator
        assert (one.classes, one.tasks, one.levels) == (VOC_CLASSES, ("semantic",), ())
        one.check_generator("any", "generator")
    alone = labels(none.segmenter, None, request_)
    assert (labels(none, backbone, request_) == alone).all()
    teacher = none.teacher
    taught = np.stack([one.label for one in teacher.annotate(teacher.read(request_, backbone))])
    known = taught != 255
    assert known.any() and not known.all()
    followed = labels(all_, backbone, request_)
    assert (followed[known] == taught[known]).all() and (followed[~known] == alone[~known]).all()
    between = labels(both, backbone, request_)
    assert ((between == alone) | (between == taught)).all(), "one of both, never a third"


def test_folders_of_earlier_versions_are_read(tmp_path: Path) -> None:
    for key in ("nats", "teacher_weight"):
        student = load(student_folder(tmp_path, 0.5, key=key), device="cpu")
        assert isinstance(student, StudentAnnotator) and student.teacher_weight == 0.5


def test_another_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its teacher 'attention' is another one now: got .* expected 0000.*relabel"):
        load(student_folder(tmp_path, 1.0, "0" * 16), device="cpu")

"""A segmenter that heeds its teacher, here the training-free labeller."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.annotators.segmenter import write_segmenter
from dataset_dm.annotators.segmenter_with_teacher import StudentAnnotator
from dataset_dm.errors import ModelError
from dataset_dm.evaluation.sources import renders
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.training.segmenter import build


def student_folder(folder: Path, nats: float, teacher_hash: str | None = None) -> str:
    torch.manual_seed(3)
    known = AttentionAnnotator().fingerprint if teacher_hash is None else teacher_hash
    teacher = {"annotator": "attention", "nats": nats, "hash": known}
    settings = {"temperature": 0.5, "void_below": 0.1, "teacher": teacher}
    write_segmenter(folder / f"student{nats}", build(VOC_CLASSES, (128, 128)), settings)
    return str(folder / f"student{nats}")


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    (batch,) = renders(2, 2)
    return batch.pictures


def labels(annotator: Annotator, backbone, pictures: Pictures) -> np.ndarray:
    seen = annotator.look(backbone, pictures, VOC_CLASSES)
    asked = [list(named) for named in pictures.named]
    return np.stack([one.full for one in annotator.annotate(seen, VOC_CLASSES, asked)])


def test_it_hears_nothing_everything_or_both(backbone, pictures: Pictures, tmp_path: Path) -> None:
    deaf, obedient, both = (load(student_folder(tmp_path, nats), device="cpu") for nats in (0.0, 60.0, 0.5))
    for one in (deaf, obedient, both):
        assert isinstance(one, StudentAnnotator) and isinstance(one, Annotator)
        assert (one.classes, one.tasks, one.levels) == (VOC_CLASSES, ("semantic",), ())
        one.check_generator("any", "thing")
    asked = [list(named) for named in pictures.named]
    alone = np.stack([one.full for one in deaf.segmenter.annotate(pictures.images, VOC_CLASSES, asked)])
    assert (labels(deaf, backbone, pictures) == alone).all()
    seen = deaf.teacher.look(backbone, pictures, VOC_CLASSES)
    taught = np.stack([one.label for one in deaf.teacher.annotate(seen, VOC_CLASSES, asked)])
    sure = taught != 255
    assert sure.any() and not sure.all()
    heard = labels(obedient, backbone, pictures)
    assert (heard[sure] == taught[sure]).all() and (heard[~sure] == alone[~sure]).all()
    between = labels(both, backbone, pictures)
    assert ((between == alone) | (between == taught)).all(), "one of both, never a third"


def test_another_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its teacher 'attention' is another one now: got .* expected 0000.*relabel"):
        load(student_folder(tmp_path, 1.0, "0" * 16), device="cpu")

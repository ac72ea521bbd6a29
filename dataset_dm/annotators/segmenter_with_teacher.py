"""A segmenter together with its teacher: the annotator whose labels it was trained on still counts where it labels.

What the network learnt from thousands of labels and what the teacher reads in this one image are two pieces of
evidence. On Miniature both together are better than either (BENCHMARKS.md, self-training).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.annotators.segmenter import SegmenterAnnotator
from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ModelError, explain
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.postprocess import semantic


class StudentAnnotator:
    """A segmenter and its teacher as one annotator; it needs the generator where the teacher does.

    Args:
        segmenter: calibrated together with the teacher.
        teacher: another annotator of class maps.
        teacher_weight: added to the log-odds of the class that the teacher gives a pixel, 0 or more.
        teacher_hash: fingerprint of the teacher at that time; None is not compared.

    Raises:
        ModelError: the teacher has changed.
    """

    tasks = (SEMANTIC.name,)

    def __init__(
        self,
        segmenter: SegmenterAnnotator,
        teacher: Annotator,
        teacher_weight: float,
        teacher_hash: str | None = None,
    ) -> None:
        if teacher_hash not in (None, teacher.fingerprint):
            what = f"annotator {segmenter.name!r}: its teacher {teacher.name!r} is another one now"
            remedy = "train it again: dataset-dm relabel"
            raise ModelError(explain(what, got=teacher.fingerprint, expected=teacher_hash, remedy=remedy))
        self.segmenter, self.teacher, self.teacher_weight = segmenter, teacher, teacher_weight
        self.name, self.fingerprint, self.classes = segmenter.name, segmenter.fingerprint, segmenter.classes
        self.needs_generator, self.levels = teacher.needs_generator, teacher.levels

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch if the teacher cannot read this generator."""
        self.teacher.check_generator(fingerprint, name)

    def read(self, request: AnnotationRequest, backbone: Backbone | None) -> AnnotationRequest:
        """The request with the teacher's reading; the segmenter needs the images alone."""
        return self.teacher.read(request, backbone)

    @torch.inference_mode()
    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image; see `base.Annotator`. ModelError for a class the segmenter was not trained on."""
        probabilities = self.segmenter.probabilities_of(request)
        size = (probabilities.shape[-2], probabilities.shape[-1])
        taught = replace(request, size=size, tasks=(SEMANTIC.name,), keep_probability=False)
        labels = torch.from_numpy(np.stack([one.label for one in self.teacher.annotate(taught)]))
        combined = semantic.add_log_odds(probabilities, labels, self.teacher_weight)
        return self.segmenter.annotations_of(combined, request.keep_probability)

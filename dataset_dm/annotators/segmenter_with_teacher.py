"""A segmenter that heeds its teacher: the labeller whose labels it was trained on still has a say where it labels.

What the network learnt from thousands of labels and what the teacher sees in this one picture are two pieces of
evidence. On Miniature both together are better than either (BENCHMARKS.md, self-training).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.annotators.segmenter import SegmenterAnnotator
from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ModelError, explain
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.postprocess import semantic


@dataclass(frozen=True)
class Shown:
    """The pictures, uint8 [b H W 3], and what the teacher saw in them."""

    images: Tensor
    seen: Any


class StudentAnnotator:
    """A segmenter and its teacher as one labeller; it needs the generator wherever the teacher does.

    Args:
        segmenter: calibrated with the teacher heeded.
        teacher: another labeller of class maps.
        nats: by how much the log-odds of the class that the teacher says of a pixel grow, 0 or more.
        teacher_hash: fingerprint that the teacher had then; None asks for none.

    Raises:
        ModelError: the teacher has changed.
    """

    tasks = (SEMANTIC.name,)

    def __init__(
        self, segmenter: SegmenterAnnotator, teacher: Annotator, nats: float, teacher_hash: str | None = None
    ) -> None:
        if teacher_hash not in (None, teacher.fingerprint):
            what = f"annotator {segmenter.name!r}: its teacher {teacher.name!r} is another one now"
            remedy = "train it again: dataset-dm relabel"
            raise ModelError(explain(what, got=teacher.fingerprint, expected=teacher_hash, remedy=remedy))
        self.segmenter, self.teacher, self.nats = segmenter, teacher, nats
        self.name, self.fingerprint, self.classes = segmenter.name, segmenter.fingerprint, segmenter.classes
        self.levels = teacher.levels

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch when the teacher cannot read this generator."""
        self.teacher.check_generator(fingerprint, name)

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> Shown:
        """The pictures, and the teacher's own look at them."""
        return Shown(pictures.images, self.teacher.look(backbone, pictures, classes))

    @torch.inference_mode()
    def annotate(
        self,
        seen: Shown,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        """One annotation an image; see :class:`dataset_dm.annotators.base.Annotator`.

        Raises:
            ModelError: a class that the segmenter was not trained on.
        """
        chances = self.segmenter.chances_of(seen.images, classes, requested, size)
        shape = (chances.shape[-2], chances.shape[-1])
        said = self.teacher.annotate(seen.seen, classes, requested, shape, tasks=(SEMANTIC.name,))
        labels = torch.from_numpy(np.stack([one.label for one in said]))
        return self.segmenter.annotations_of(semantic.heed(chances, labels, self.nats), keep_probability)

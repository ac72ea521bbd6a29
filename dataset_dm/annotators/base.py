"""The protocol of all annotators, and the base of those that need the images alone."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.diffusion import Backbone
from dataset_dm.labels.records import Annotation


@runtime_checkable
class Annotator(Protocol):
    """Labels images, each independently of the others in its batch.

    Two steps, timed apart: `read` runs the generator over the images, `annotate` does everything after it.

        annotations = annotator.annotate(annotator.read(request, backbone))

    Attributes:
        name: what `annotators.load` opens it by.
        fingerprint: 16 hex digits over its weights and settings; part of the label fingerprint.
        classes: the class words it was trained on, the default list; empty for one without classes of its own.
        tasks: names of the kinds of label it returns, as in `dataset_dm.labels.tasks.TASKS`.
        needs_generator: whether it reads maps of the generator; False for one that needs the images alone.
        levels: names of the VAE-decoder maps to record while images are sampled; computed again where they were not.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    needs_generator: bool
    levels: tuple[str, ...]

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch, naming both sides, if it cannot read this generator; before anything is computed."""

    def read(self, request: AnnotationRequest, backbone: Backbone | None) -> AnnotationRequest:
        """The request with what this annotator reads of the generator, `None` unless it `needs_generator`."""
        ...

    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image; ValueError for a request that was not read."""
        ...


class ImageAnnotator:
    """Base of annotators that look at the images alone: any generator will do, and none is needed."""

    needs_generator = False
    levels: tuple[str, ...] = ()

    def check_generator(self, fingerprint: str, name: str) -> None:
        """No-op."""

    def read(self, request: AnnotationRequest, backbone: Backbone | None = None) -> AnnotationRequest:
        """The request as it is."""
        return request


def required(backbone: Backbone | None, annotator: str) -> Backbone:
    """The backbone; ValueError if there is none."""
    if backbone is None:
        raise ValueError(f"annotator {annotator!r}: it reads maps of the generator; got no backbone")
    return backbone

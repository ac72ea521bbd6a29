"""The protocol, and annotators that need the images alone."""

import numpy as np
import pytest
import torch

from dataset_dm.annotators.base import Annotator, ImageAnnotator, required
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import Backbone
from dataset_dm.labels.records import Annotation


class Brightness(ImageAnnotator):
    """Bright pixels are of the first class."""

    name, fingerprint, classes, tasks = "brightness", "0" * 16, ("lamp",), ("semantic",)

    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One class map an image."""
        maps = (request.batch.images.float().mean(-1) > 127).numpy().astype(np.uint8)
        return [Annotation(confidence=1.0, label=each, full=each) for each in maps]


def test_an_image_annotator_needs_one_method_and_no_generator() -> None:
    annotator = Brightness()
    assert isinstance(annotator, Annotator) and not annotator.needs_generator and annotator.levels == ()
    annotator.check_generator("f" * 16, "any")
    images = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    images[0, 0, 1] = 255
    batch = ImageBatch(images=images, prompts=[""], seeds=[0], named=[()])
    request = AnnotationRequest(batch=batch, classes=annotator.classes)
    assert annotator.read(request, None) is request
    assert annotator.annotate(request)[0].label.tolist() == [[0, 1], [0, 0]]


def test_what_reads_the_generator_says_that_it_lacks_one(backbone: Backbone) -> None:
    assert required(backbone, "x") is backbone
    with pytest.raises(ValueError, match="annotator 'x': it reads maps of the generator; got no backbone"):
        required(None, "x")

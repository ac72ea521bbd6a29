"""Requests of annotators and what was read for them."""

from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor

from dataset_dm.annotators.request import AnnotationRequest, ImageBatch, reading_of


@dataclass(frozen=True)
class Maps:
    """A reading of one level."""

    levels: dict[str, Tensor] = field(default_factory=lambda: {"vae.a": torch.zeros(2, 1, 4, 4)})


def batch() -> ImageBatch:
    images = torch.zeros(2, 32, 64, 3, dtype=torch.uint8)
    return ImageBatch(images=images, prompts=["a dog", ""], seeds=[0, 1], named=[[0], []])


def test_a_batch_knows_its_length_and_size() -> None:
    assert len(batch()) == 2 and batch().size == (32, 64)


def test_images_are_encoded_unless_they_have_latents(backbone) -> None:
    encoded = batch().encoded(backbone)
    assert encoded.latents.shape[0] == 2 and encoded.images.shape == (2, 32, 64, 3)
    assert encoded.encoded(backbone) is encoded


def test_requested_classes_are_given_for_every_image() -> None:
    request = AnnotationRequest(batch=batch(), classes=("dog",), requested=[[0], []])
    with pytest.raises(ValueError, match="requested: got 1 lists for 2 images"):
        replace(request, requested=[[0]])


def test_a_reading_is_of_the_kind_that_the_annotator_made() -> None:
    request = AnnotationRequest(batch=batch(), classes=("dog",), reading=Maps())
    assert reading_of(request, Maps, "x") is request.reading
    with pytest.raises(ValueError, match="annotator 'x': got reading NoneType, expected Maps; call `read` first"):
        reading_of(replace(request, reading=None), Maps, "x")

"""The training-free annotator on the embedded generator's own images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.attention import AttentionAnnotator, AttentionReading, ImageReading
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import sample
from dataset_dm.errors import ConfigError
from dataset_dm.models.attention_settings import AttentionSettings

CLASSES = ("car", "dog", "dining table", "horse")


@pytest.fixture(scope="module")
def batch(backbone) -> ImageBatch:
    """A car, drawn; its prompt names the car, and a horse is asked for that was not drawn."""
    drawn = sample(backbone, ["a photo of a red car"], [7])
    return ImageBatch(
        images=drawn.images, latents=drawn.latents, prompts=["a photo of a red car"], seeds=[7], named=[[0, 3]]
    )


@pytest.fixture(scope="module")
def request_(annotator, backbone, batch) -> AnnotationRequest:
    return annotator.read(AnnotationRequest(batch=batch, classes=CLASSES), backbone)


@pytest.fixture(scope="module")
def annotator() -> AttentionAnnotator:
    return AttentionAnnotator()


def test_it_is_an_annotator_that_plans_can_name(annotator):
    assert isinstance(annotator, Annotator) and annotator.needs_generator
    assert annotator.name == "attention" and annotator.fingerprint == AttentionSettings().fingerprint()
    other = load('attention:{"power":1}', device="cpu")
    assert isinstance(other, AttentionAnnotator) and other.settings.power == 1
    assert annotator.check_generator("0" * 16, "any") is None


def test_what_is_there_gets_a_mask_and_what_is_absent_none(annotator, request_):
    (found,) = annotator.annotate(replace(request_, requested=request_.batch.named))
    car, dog, table, horse = found.presence
    assert car > 0.8 and horse < 0.2 and dog == table == 0, "the others were not looked for"
    assert set(np.unique(found.full)) == {0, 1} and set(np.unique(found.label)) == {0, 1, 255}
    assert 0.1 < (found.full == 1).mean() < 0.6
    assert found.uncertain == pytest.approx((found.label == 255).mean()) and 0 < found.uncertain < 0.2
    assert found.label.shape == (128, 128) and 0.5 < found.confidence < 1


def test_only_what_is_requested_has_a_mask(annotator, request_):
    (found,) = annotator.annotate(replace(request_, requested=[[3]]))
    assert not found.full.any() and found.presence[0] > 0.8


def test_relabelling_stored_images_gives_the_same(annotator, backbone, request_):
    """Nothing but the final latents, the seed and the classes decide: what was recorded on the way is not asked for."""
    first, again = annotator.annotate(request_), annotator.annotate(annotator.read(request_, backbone))
    assert np.array_equal(first[0].label, again[0].label) and np.array_equal(first[0].presence, again[0].presence)


def test_a_prompt_that_names_no_class_is_asked_about_all(annotator, backbone, batch):
    unnamed = replace(batch, prompts=["a photo"], named=[[]])
    (one,) = annotator.read(AnnotationRequest(batch=unnamed, classes=CLASSES), backbone).reading.images
    assert one.asked == (0, 1, 2, 3) and len(one.maps) == 4


def test_images_without_latents_are_encoded(annotator, backbone, batch):
    photo = replace(batch, latents=None, prompts=[""], named=[[0]])
    (found,) = annotator.annotate(annotator.read(AnnotationRequest(batch=photo, classes=CLASSES), backbone))
    assert found.presence[0] > 0.5 and (found.full == 1).any()


def read_by_hand(**asked) -> AnnotationRequest:
    """Two classes on 2 x 2 cells: the first in the left column, the second in the right lower cell."""
    maps = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    image = torch.zeros(2, 2, 3, dtype=torch.uint8)
    reading = AttentionReading((ImageReading((0, 1), maps, torch.tensor([0.9, 0.9]), image),), 2)
    batch = ImageBatch(images=image[None], prompts=[""], seeds=[0], named=[[0, 1]])
    return AnnotationRequest(batch=batch, classes=["a", "b"], reading=reading, **asked)


def test_labels_by_hand():
    plain = AttentionAnnotator(AttentionSettings(edges=False))
    (found,) = plain.annotate(read_by_hand(keep_probability=True))
    assert found.full.tolist() == [[1, 0], [1, 2]] and found.probability.shape == (2, 2)
    strict = AttentionAnnotator(AttentionSettings(edges=False, presence=0.95))
    assert not strict.annotate(read_by_hand())[0].full.any()


def test_labels_at_another_size():
    (found,) = AttentionAnnotator().annotate(read_by_hand(size=(8, 6)))
    assert found.full.shape == found.label.shape == (8, 6)


@pytest.mark.parametrize("classes", [[], "car", [f"class {i}" for i in range(255)]])
def test_class_lists_that_cannot_be_labelled(annotator, backbone, batch, classes):
    with pytest.raises(ConfigError, match="expected a list of 1..254 names"):
        annotator.read(AnnotationRequest(batch=batch, classes=classes), backbone)


def test_words_that_no_training_had_are_read_all_the_same(annotator, backbone, batch):
    """Any text tokenises: a class that the text encoder never met, and one in another script."""
    names = ["zgharp", "собака"]
    asked = AnnotationRequest(batch=replace(batch, named=[[0, 1]]), classes=names)
    (found,) = annotator.annotate(annotator.read(asked, backbone))
    assert found.presence.shape == (2,) and np.isfinite(found.presence).all()


def test_another_list_than_was_looked_for_is_an_error(annotator):
    request = read_by_hand()
    with pytest.raises(ValueError, match="same list of classes"):
        annotator.annotate(replace(request, classes=["a"]))
    twice = replace(request.batch, images=request.batch.images.repeat(2, 1, 1, 1))
    with pytest.raises(ValueError, match="same images"):
        annotator.annotate(replace(request, batch=twice))

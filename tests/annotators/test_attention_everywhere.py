"""The training-free annotator where the public code fails: in batches, at other sizes, in few steps, in half floats."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.diffusion import Backbone, SamplerConfig, sample
from dataset_dm.generation.session import Session
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.records import Annotation
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.resolve import resolve_recipe

CLASSES = ("car", "dog", "cat", "horse")
# different numbers of classes each, one that was not drawn, one that names none and is asked about all
PROMPTS = ["a photo of a red car", "a dog and a cat", "a street"]
NAMED = [[0], [1, 2, 3], []]
FEW = SamplerConfig(steps=4, guidance=None, scheduler="EulerDiscreteScheduler")


def drawn(backbone: Backbone, sampler: SamplerConfig, **more: Any) -> ImageBatch:
    made = sample(backbone, PROMPTS, [3, 4, 5], sampler, **more)
    return ImageBatch(images=made.images, latents=made.latents, prompts=PROMPTS, seeds=[3, 4, 5], named=NAMED)


def labels(backbone: Backbone, batch: ImageBatch) -> list[Annotation]:
    annotator = AttentionAnnotator()
    return annotator.annotate(annotator.read(AnnotationRequest(batch=batch, classes=CLASSES), backbone))


def check_alike(one: Annotation, other: Annotation, pixels: float, presence: float) -> None:
    assert np.mean(one.full == other.full) >= pixels and np.mean(one.label == other.label) >= pixels
    np.testing.assert_allclose(one.presence, other.presence, atol=presence)


@pytest.fixture(scope="module")
def four_steps(backbone: Backbone) -> ImageBatch:
    """Drawn in four steps of Euler's, without guidance."""
    return drawn(backbone, FEW)


@pytest.fixture(scope="module")
def together(backbone: Backbone, four_steps: ImageBatch) -> list[Annotation]:
    """Their labels, read as one batch."""
    return labels(backbone, four_steps)


def test_a_batch_reads_what_its_images_say_alone(
    backbone: Backbone, four_steps: ImageBatch, together: list[Annotation]
) -> None:
    for row, found in enumerate(together):
        here = slice(row, row + 1)
        parts = {name: getattr(four_steps, name)[here] for name in ("images", "latents", "prompts", "seeds", "named")}
        check_alike(found, *labels(backbone, ImageBatch(**parts)), pixels=0.999, presence=1e-3)


def test_few_steps_without_guidance_still_tell_what_is_there(together: list[Annotation]) -> None:
    car, pets, anything = together
    assert car.presence[0] > 0.5 and (car.full == 1).mean() > 0.05
    assert not car.presence[1:].any(), "nothing else was asked for"
    assert pets.presence[0] == 0 and pets.presence[3] < pets.presence[1:3].max(), "no horse was drawn"
    assert (anything.presence > 0).all()


@pytest.mark.parametrize("guidance", [None, 3.0])
def test_images_that_are_not_square(backbone: Backbone, guidance: float | None) -> None:
    sampler = SamplerConfig(steps=4, guidance=guidance, scheduler="LCMScheduler")
    found = labels(backbone, drawn(backbone, sampler, size=(96, 160)))
    assert [one.full.shape for one in found] == [(96, 160)] * 3
    assert (found[0].full == 1).any() and all(0 < one.confidence <= 1 for one in found)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_reads_nearly_the_same(
    four_steps: ImageBatch, together: list[Annotation], generator_folder: Path, dtype: str
) -> None:
    half = Backbone.load(generator_folder, device="cpu", dtype=dtype)
    found = labels(half, replace(four_steps, latents=four_steps.latents.to(half.dtype)))
    for one, other in zip(found, together, strict=True):
        assert np.isfinite(one.presence).all()
        check_alike(one, other, pixels=0.95, presence=0.1)


def test_a_prompt_over_the_limit_and_a_class_in_another_script(quick: dict) -> None:
    """What stands beyond the text encoder's limit is not drawn, and may still be asked about: it has no mask then."""
    text = "a photo of a red car " + "in the very bright sun " * 20 + "and a dog and a собака"
    asked = {**quick, "annotator": "attention", "prompts": [text], "classes": ["car", "dog"], "seed": 1}
    plan = resolve_recipe(recipe("voc_synth", "semantic"), **{k: v for k, v in asked.items() if k != "device"})
    with pytest.warns(UserWarning, match="its end is cut off"):
        (batch, *_) = Session(plan, "cpu").batches("train", 0)
    row = batch.labels.to_pylist()[0]
    assert row["presence"][1] < 0.5 and 2 not in np.unique(decode_png(row["full"]["bytes"]))


def test_noise_is_the_image_s_own(backbone: Backbone, four_steps: ImageBatch, together: list[Annotation]) -> None:
    """Another seed for the last one, and other neighbours' order: only the one with the other seed changes."""
    order = [2, 0, 1]
    moved = ImageBatch(
        images=four_steps.images[order],
        latents=four_steps.latents[order],
        seeds=[6, 3, 4],
        **{name: [getattr(four_steps, name)[at] for at in order] for name in ("prompts", "named")},
    )
    other, first, second = labels(backbone, moved)
    check_alike(first, together[0], pixels=0.999, presence=1e-3)
    check_alike(second, together[1], pixels=0.999, presence=1e-3)
    assert np.abs(other.presence - together[2].presence).max() > 1e-3

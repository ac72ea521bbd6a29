"""A segmenter as an annotator: it needs images alone and knows its own classes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSemanticSegmentation

from dataset_dm.annotators import load
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.annotators.segmenter import SegmenterAnnotator, pixels, present, write_segmenter
from dataset_dm.errors import ModelError
from dataset_dm.miniature.world import labelled
from dataset_dm.training.segmenter import build

CLASSES = ("car", "dog", "diningtable", "person")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    net = build(CLASSES, (128, 128))
    with torch.no_grad():  # an untrained net is too even to tell classes apart
        net.decode_head.classifier.bias.copy_(torch.tensor([0.1, 0.3, 0.0, 0.2, 0.1]))
    made = tmp_path_factory.mktemp("segmenter")
    write_segmenter(made, net, {"temperature": 0.5, "void_below": 0.25, "trained_on": {"split": "train"}})
    return made


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> SegmenterAnnotator:
    made = load(str(folder), device="cpu")
    assert isinstance(made, SegmenterAnnotator)
    return made


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.from_numpy(np.stack([labelled("test", i)[1].image for i in (0, 1, 2)]))


def asked(images: torch.Tensor, classes: Sequence[str] = CLASSES, **more: Any) -> AnnotationRequest:
    count = len(images)
    batch = ImageBatch(images=images, prompts=[""] * count, seeds=[0] * count, named=[()] * count)
    return AnnotationRequest(batch=batch, classes=classes, **more)


def test_it_is_an_annotator_with_its_own_calibration(segmenter: SegmenterAnnotator, folder: Path) -> None:
    assert isinstance(segmenter, Annotator) and not segmenter.needs_generator
    assert (segmenter.classes, segmenter.tasks, segmenter.levels) == (CLASSES, ("semantic",), ())
    assert (segmenter.temperature, segmenter.void_below, segmenter.name) == (0.5, 0.25, str(folder))
    segmenter.check_generator("any", "generator")


def test_calibration_is_part_of_the_fingerprint(segmenter: SegmenterAnnotator, folder: Path, tmp_path: Path) -> None:
    write_segmenter(tmp_path / "other", segmenter.net, {"temperature": 1.0, "void_below": 0.25})
    other = load(str(tmp_path / "other"), device="cpu")
    assert other.fingerprint != segmenter.fingerprint and other.temperature == 1.0


def test_plain_transformers_opens_the_folder(folder: Path, segmenter: SegmenterAnnotator, images: torch.Tensor) -> None:
    net = AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    assert net.config.id2label == dict(enumerate(("background", *CLASSES)))
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    scaled = (images.permute(0, 3, 1, 2).float() * processor["rescale_factor"] - processor["image_mean"][0]) / (
        processor["image_std"][0]
    )
    assert torch.allclose(scaled, pixels(images), atol=1e-6)
    with torch.no_grad():
        assert net(pixel_values=scaled).logits.shape == (3, 5, 32, 32)


def test_labels_of_a_batch_are_those_of_its_images(segmenter: SegmenterAnnotator, images: torch.Tensor) -> None:
    together = segmenter.annotate(asked(images, requested=[[0], [1, 3], [2]], keep_probability=True))
    alone = segmenter.annotate(asked(images[1:2], requested=[[1, 3]], keep_probability=True))[0]
    assert (together[1].full == alone.full).mean() > 0.999
    for found in together:
        assert found.label.shape == found.full.shape == (128, 128) and found.presence.shape == (4,)
        assert found.uncertain == pytest.approx((found.label == 255).mean())
        assert ((found.probability < 0.25) == (found.label == 255)).all()


def test_the_mirror_image_gets_the_mirrored_labels(segmenter: SegmenterAnnotator, images: torch.Tensor) -> None:
    straight, mirrored = (segmenter.annotate(asked(x)) for x in (images, images.flip(2)))
    for one, other in zip(straight, mirrored, strict=True):
        assert (one.full == other.full[:, ::-1]).mean() > 0.999


def test_classes_are_found_by_their_words_and_others_are_background(
    segmenter: SegmenterAnnotator, images: torch.Tensor
) -> None:
    whole = segmenter.probabilities(images)
    chances = {"car": whole[:, 1], "dining table": whole[:, 3]}
    for names in (("dining table", "car"), ("car", "dining table")):
        found = segmenter.annotate(asked(images, names, keep_probability=True))
        expected = torch.stack([1 - sum(chances.values()), *(chances[name] for name in names)], 1)
        assert all(
            (one.full == best.numpy()).mean() > 0.999 for one, best in zip(found, expected.argmax(1), strict=True)
        )
    with pytest.raises(ModelError, match="does not know the class 'zebra': expected some of car, dog"):
        segmenter.annotate(asked(images, ("car", "zebra")))


def test_what_was_not_asked_for_is_nearly_ruled_out(segmenter: SegmenterAnnotator, images: torch.Tensor) -> None:
    strict = SegmenterAnnotator(segmenter.net, name="x", fingerprint="y", unasked=0.0)
    assert set(np.unique([one.full for one in strict.annotate(asked(images, requested=[[1]] * 3))])) <= {0, 2}


def test_presence_is_of_the_most_probable_pixels() -> None:
    chances = torch.zeros(1, 2, 32, 32)
    chances[0, 0, 5, 5:7] = torch.tensor([1.0, 0.5])
    chances[0, 0, 9, 9] = 0.5
    chances[0, 1] = 0.25
    # 1/256 of 1024 pixels are 4
    assert present(chances)[0].tolist() == [0.5, 0.25]


def test_it_needs_the_images_alone(segmenter: SegmenterAnnotator, images: torch.Tensor) -> None:
    request = asked(images)
    assert segmenter.read(request, None) is request


def test_broken_folders_are_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(ModelError, match="expected a SegFormer folder") as caught:
        load(str(tmp_path), device="cpu")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be read") as damaged:
        load(str(tmp_path), device="cpu")
    assert "\n" not in str(caught.value) + str(damaged.value)
    weights = load_file(folder / "model.safetensors")
    headless = {name: weight for name, weight in weights.items() if not name.startswith("decode_head")}
    save_file(headless, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"cannot be read \(.* lacks \d+ weights, such as 'decode_head"):
        load(str(tmp_path), device="cpu")

"""Two annotators over the same images: the decoder of the generator and a segmenter of the images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.base import Annotator
from dataset_dm.annotators.combined import CombinedAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.errors import AnnotatorMismatch
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.models.annotators import combined_hash
from dataset_dm.postprocess.consensus import consensus

REQUESTED = [[6], [14, 11]]


@pytest.fixture(scope="module")
def combined(every_head: str, segmenter_folder: str) -> CombinedAnnotator:
    made = load(f"{every_head} + {segmenter_folder}", device="cpu")
    assert isinstance(made, CombinedAnnotator)
    return made


@pytest.fixture(scope="module")
def request_() -> AnnotationRequest:
    images = torch.from_numpy(np.stack([labelled("test", i)[1].image for i in (0, 1)]))
    batch = ImageBatch(images=images, prompts=["a car", "a person and a dog"], seeds=[0, 1], named=REQUESTED)
    return AnnotationRequest(batch=batch, classes=VOC_CLASSES, requested=REQUESTED)


def test_it_is_an_annotator(combined: CombinedAnnotator, every_head: str, segmenter_folder: str) -> None:
    assert isinstance(combined, Annotator) and combined.needs_generator
    assert combined.name == f"{every_head} + {segmenter_folder}" and combined.classes == VOC_CLASSES
    assert combined.tasks == ("semantic", "instance", "depth", "pose")
    assert combined.levels == combined.parts[0].levels != ()
    assert combined.fingerprint == combined_hash([part.fingerprint for part in combined.parts])


def test_labels_are_the_consensus_of_the_parts(
    combined: CombinedAnnotator, backbone, request_: AnnotationRequest
) -> None:
    read = replace(combined.read(request_, backbone), keep_probability=True)
    found = combined.annotate(read)
    each = [
        part.annotate(replace(read, reading=own)) for part, own in zip(combined.parts, read.reading.parts, strict=True)
    ]
    for both, one, other in zip(found, *each, strict=True):
        by_hand = consensus([one, other], len(VOC_CLASSES), keep_probability=True)
        assert (both.label == by_hand.label).all() and (both.full == by_hand.full).all()
        assert (both.label[one.full != other.full] == 255).all() and (one.full != other.full).any()
        assert both.uncertain == pytest.approx((both.label == 255).mean())
        np.testing.assert_array_equal(both.agreement, by_hand.agreement)
        # what the segmenter does not read is the decoder's
        assert both.depth is one.depth or (both.depth == one.depth).all()
        assert len(both.objects) == len(one.objects) and both.objects.keypoints is not None


def test_only_what_is_asked_for_is_read(combined: CombinedAnnotator, backbone, request_: AnnotationRequest) -> None:
    read = combined.read(request_, backbone)
    maps = combined.annotate(replace(read, tasks=["semantic"]))[0]
    assert maps.agreement.shape == (20,) and maps.objects is None and maps.depth is None and maps.probability is None
    depth = combined.annotate(replace(read, requested=None, tasks=["depth"]))[0]
    assert depth.label is None and depth.agreement is None and depth.depth.shape == (128, 128)


def test_levels_that_were_recorded_are_not_made_again(
    combined: CombinedAnnotator, backbone, request_: AnnotationRequest
) -> None:
    read = combined.read(request_, backbone)
    kept = {name: read.reading.levels[name] for name in combined.levels}
    again = combined.read(replace(read, batch=replace(read.batch, levels=kept)), backbone).reading
    assert all(again.levels[name] is kept[name] or torch.equal(again.levels[name], kept[name]) for name in kept)


def test_every_part_must_fit_the_generator(combined: CombinedAnnotator, backbone) -> None:
    combined.check_generator(backbone.fingerprint, "miniature")
    with pytest.raises(AnnotatorMismatch):
        combined.check_generator("ffff", "other")


def test_parts_that_need_the_images_alone_need_no_generator(segmenter_folder: str, request_: AnnotationRequest) -> None:
    segmenter = load(segmenter_folder, device="cpu")
    pair = CombinedAnnotator([segmenter, segmenter])
    assert not pair.needs_generator and pair.levels == ()
    read = pair.read(request_, None)
    for both, one in zip(pair.annotate(read), segmenter.annotate(request_), strict=True):
        assert (both.full == one.full).all()


def test_one_part_is_none_too_many(combined: CombinedAnnotator) -> None:
    with pytest.raises(ValueError, match="expected two or more annotators"):
        CombinedAnnotator(combined.parts[:1])


def test_a_set_stores_agreement_and_draws_once(quick: dict, segmenter_folder: str, tmp_path: Path) -> None:
    from dataset_dm.builders.voc_synth import VocSynth

    asked = {**quick, "num_images": 3}

    def made(annotator: object) -> list[dict]:
        builder = VocSynth(cache_dir=str(tmp_path / "cache"), **{**asked, "annotator": annotator})
        builder.download_and_prepare()
        return builder.as_dataset("train").to_list()

    single = made(quick["annotator"])
    (images,) = (tmp_path / "home" / "images").iterdir()
    drawn = {file.name: file.stat().st_mtime_ns for file in images.rglob("*.parquet")}
    both = made([quick["annotator"], segmenter_folder])
    assert drawn == {file.name: file.stat().st_mtime_ns for file in images.rglob("*.parquet")}
    assert [row["image"] for row in both] == [row["image"] for row in single]
    assert {row["quality"]["agreement"] is None for row in single} == {True}
    assert all(len(row["quality"]["agreement"]) == 20 for row in both)
    assert {row["provenance"]["annotator"] for row in both} == {f"{quick['annotator']} + {segmenter_folder}"}

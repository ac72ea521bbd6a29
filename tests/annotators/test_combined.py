"""Two labellers over the same pictures: the decoder of the generator and a segmenter of the pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.annotators import load
from dataset_dm.annotators.base import Annotator, Pictures
from dataset_dm.annotators.combined import CombinedAnnotator
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
def pictures() -> Pictures:
    images = torch.from_numpy(np.stack([labelled("test", i)[1].image for i in (0, 1)]))
    return Pictures(images=images, prompts=["a car", "a person and a dog"], seeds=[0, 1], named=REQUESTED)


def test_it_is_an_annotator(combined: CombinedAnnotator, every_head: str, segmenter_folder: str) -> None:
    assert isinstance(combined, Annotator)
    assert combined.name == f"{every_head} + {segmenter_folder}" and combined.classes == VOC_CLASSES
    assert combined.tasks == ("semantic", "instance", "depth", "pose")
    assert combined.levels == combined.parts[0].levels != ()
    assert combined.fingerprint == combined_hash([part.fingerprint for part in combined.parts])


def test_labels_are_the_consensus_of_the_parts(combined: CombinedAnnotator, backbone, pictures: Pictures) -> None:
    seen = combined.look(backbone, pictures, VOC_CLASSES)
    found = combined.annotate(seen, VOC_CLASSES, REQUESTED, keep_probability=True)
    each = [
        part.annotate(look, VOC_CLASSES, REQUESTED, keep_probability=True)
        for part, look in zip(combined.parts, seen.parts, strict=True)
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


def test_only_what_is_asked_for_is_read(combined: CombinedAnnotator, backbone, pictures: Pictures) -> None:
    seen = combined.look(backbone, pictures, VOC_CLASSES)
    maps = combined.annotate(seen, VOC_CLASSES, REQUESTED, tasks=["semantic"])[0]
    assert maps.agreement.shape == (20,) and maps.objects is None and maps.depth is None and maps.probability is None
    depth = combined.annotate(seen, VOC_CLASSES, tasks=["depth"])[0]
    assert depth.label is None and depth.agreement is None and depth.depth.shape == (128, 128)


def test_levels_that_were_recorded_are_not_made_again(
    combined: CombinedAnnotator, backbone, pictures: Pictures
) -> None:
    seen = combined.look(backbone, pictures, VOC_CLASSES)
    kept = {name: seen.levels[name] for name in combined.levels}
    from dataclasses import replace

    again = combined.look(backbone, replace(pictures.encoded(backbone), levels=kept), VOC_CLASSES)
    assert all(again.levels[name] is kept[name] or torch.equal(again.levels[name], kept[name]) for name in kept)


def test_every_part_must_fit_the_generator(combined: CombinedAnnotator, backbone) -> None:
    combined.check_generator(backbone.fingerprint, "miniature")
    with pytest.raises(AnnotatorMismatch):
        combined.check_generator("ffff", "other")


def test_one_part_is_none_too_many(combined: CombinedAnnotator) -> None:
    with pytest.raises(ValueError, match="expected two or more labellers"):
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

"""Class maps of two annotators become one, by hand."""

import numpy as np
import pytest

from dataset_dm.labels.records import Annotation
from dataset_dm.postprocess.consensus import agreement, consensus

# a row of six pixels: class, probability and void pixels of each annotator
FIRST = ([1, 1, 1, 2, 0, 0], [0.9, 0.5, 0.4, 0.9, 0.8, 0.6], [0, 0, 1, 0, 0, 0])
SECOND = ([1, 2, 1, 2, 2, 0], [0.7, 0.6, 0.8, 0.5, 0.8, 0.4], [0, 0, 0, 0, 0, 0])


def said(full: list[int], chance: list[float], void: list[int], presence: tuple[float, ...] = (1, 0)) -> Annotation:
    whole = np.array([full], np.uint8)
    label = np.where(np.array([void], bool), np.uint8(255), whole)
    return Annotation(
        confidence=float(np.mean(chance)),
        presence=np.array(presence, np.float32),
        label=label,
        full=whole,
        uncertain=float((label == 255).mean()),
        probability=np.array([chance], np.float32),
    )


def test_differing_pixels_are_void_and_the_most_probable_class_is_kept_below() -> None:
    both = consensus([said(*FIRST), said(*SECOND, presence=(0.5, 1))], 2, keep_probability=True)
    assert both.label.tolist() == [[1, 255, 255, 2, 255, 0]]
    assert both.full.tolist() == [[1, 2, 1, 2, 0, 0]], (
        "the second has the higher probability at pixel 1; on a tie the first decides"
    )
    assert both.uncertain == pytest.approx(3 / 6)
    np.testing.assert_allclose(both.probability, [[0.8, 0.3, 0.6, 0.7, 0.4, 0.5]], atol=1e-6)
    assert both.confidence == pytest.approx(0.55) and both.presence.tolist() == [0.75, 0.5]
    assert consensus([said(*FIRST), said(*SECOND)], 2).probability is None


def test_agreement_is_intersection_over_union_a_class() -> None:
    both = consensus([said(*FIRST), said(*SECOND)], 3)
    # class 1: {0, 1, 2} and {0, 2}; class 2: {3} and {1, 3, 4}; class 3 is in no map
    np.testing.assert_allclose(both.agreement, [2 / 3, 1 / 3, np.nan], atol=1e-6)


def test_agreement_of_three_counts_a_pixel_once() -> None:
    maps = np.array([[[1, 1, 0]], [[1, 0, 0]], [[1, 1, 2]]], np.uint8)
    np.testing.assert_allclose(agreement(maps, 2), [1 / 2, 0])


def test_an_annotator_agrees_with_itself() -> None:
    one = said(*FIRST)
    both = consensus([one, one], 2)
    assert (both.label == one.label).all() and both.confidence == pytest.approx(one.confidence)
    assert both.agreement.tolist() == [1, 1]

"""From a decoder's output to annotations, worked out by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.annotators.decoder_labels import class_scores, read_labels, resize_map
from dataset_dm.decoder import DecoderOutput, PDecoderConfig
from dataset_dm.decoder.semantic_head import SemanticOutput
from dataset_dm.hypercolumns import FeatureSpec, Level

SPEC = FeatureSpec("g", (Level("a", "unet", 1, 8),), ("x",), 1, 2, 20, (8, 8))
CLASSES = ("dog", "cat")


def output() -> DecoderOutput:
    """One image of 1 × 2 pixels; odds of background : dog : cat are 1 : 2 : 5 and 1 : 8 : 1."""
    odds = torch.tensor([[1.0, 1.0], [2.0, 8.0], [5.0, 1.0]])
    return DecoderOutput(semantic=SemanticOutput(odds.log()[None, :, None], (), torch.zeros(1, 2)))


def test_labels_are_the_most_probable_classes_and_void_below_the_threshold() -> None:
    config = PDecoderConfig(spec=SPEC, classes=CLASSES, void_below=0.7)
    (annotation,) = read_labels(output(), config, CLASSES, None, (1, 2), keep_probability=True)
    assert annotation.full.tolist() == [[2, 1]] and annotation.label.tolist() == [[255, 1]]
    assert annotation.probability == pytest.approx(np.array([[5 / 8, 8 / 10]]))
    assert annotation.presence.tolist() == [0.5, 0.5] and annotation.uncertain == 0.5


def test_classes_that_were_not_requested_have_prior_odds() -> None:
    config = PDecoderConfig(spec=SPEC, classes=CLASSES)
    (annotation,) = read_labels(output(), config, CLASSES, [[0]], (1, 2), unasked=0.1, keep_probability=True)
    assert annotation.full.tolist() == [[1, 1]], "1 : 2 : 0.5"
    assert annotation.probability[0, 0] == pytest.approx(2 / 3.5)


def test_without_instances_the_scores_are_the_logits() -> None:
    raw = output()
    assert class_scores(raw) is raw.semantic.logits


def test_maps_of_instances_are_resized_by_the_nearest_pixel() -> None:
    numbers = np.array([[0, 3], [7, 300]], np.int32)
    assert resize_map(numbers, (2, 2)) is numbers
    assert resize_map(numbers, (4, 2)).tolist() == [[0, 3], [0, 3], [7, 300], [7, 300]]

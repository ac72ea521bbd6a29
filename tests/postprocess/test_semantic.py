"""From probabilities to labels, by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.postprocess.semantic import add_log_odds, annotate, probabilities, restrict, threshold_for


def chances(*pixels: list[float]) -> torch.Tensor:
    """One image of one row; a list of class probabilities a pixel."""
    return torch.tensor(pixels).T.reshape(1, len(pixels[0]), 1, len(pixels))


def test_temperature_flattens():
    logits = torch.log(chances([0.1, 0.9]))
    assert probabilities(logits, 1.0).flatten().tolist() == pytest.approx([0.1, 0.9])
    assert probabilities(logits, 2.0).flatten().tolist() == pytest.approx([0.25, 0.75])  # square roots 1 : 3


def test_logits_are_resized_not_labels():
    logits = torch.zeros(1, 3, 1, 2)
    logits[0, 0, 0, 0] = logits[0, 2, 0, 1] = 9.0
    found = probabilities(logits, size=(4, 8)).argmax(1)
    assert found.shape == (1, 4, 8)
    assert set(found.unique().tolist()) == {0, 2}  # class 1 lies between them only in number


def test_uncertain_pixels_become_void_and_are_counted():
    found = annotate(chances([0.6, 0.4], [0.45, 0.55], [0.05, 0.95]), torch.tensor([[0.9]]), void_below=0.58)[0]
    assert found.label.tolist() == [[0, 255, 1]] and found.full.tolist() == [[0, 1, 1]]
    assert found.label.dtype == np.uint8
    assert found.uncertain == pytest.approx(1 / 3)
    assert found.confidence == pytest.approx((0.6 + 0.55 + 0.95) / 3)
    assert found.presence.tolist() == pytest.approx([0.9]) and found.probability is None


def test_the_probability_is_kept_on_request():
    found = annotate(chances([0.6, 0.4]), torch.tensor([[0.9]]), keep_probability=True)[0]
    assert found.probability.tolist() == [[pytest.approx(0.6)]]


def test_restricting_rules_out_and_shares_out():
    kept = restrict(chances([0.2, 0.6, 0.2]), [[1]])
    assert kept.flatten().tolist() == pytest.approx([0.5, 0.0, 0.5])
    assert restrict(chances([0.2, 0.6, 0.2]), [[]]).flatten().tolist() == pytest.approx([1, 0, 0])
    assert restrict(chances([0.2, 0.6, 0.2]), [[1]], 0.5).flatten().tolist() == pytest.approx([2 / 7, 3 / 7, 2 / 7])
    with pytest.raises(ValueError, match="class 2"):
        restrict(chances([0.2, 0.6, 0.2]), [[2]])
    with pytest.raises(ValueError, match="1 images"):
        restrict(chances([0.2, 0.6, 0.2]).repeat(2, 1, 1, 1), [[0]])


def test_the_threshold_voids_the_wanted_share():
    best = np.linspace(0, 1, 1001)
    assert (best < threshold_for(best, 0.04)).mean() == pytest.approx(0.04, abs=0.002)
    assert threshold_for(best, 0.0) == 0.0


def test_more_classes_than_a_byte_holds_are_refused():
    with pytest.raises(ValueError, match="254"):
        annotate(torch.full((1, 256, 1, 1), 1 / 256), torch.zeros(1, 255))


def test_labels_of_another_annotator_are_evidence():
    even = chances([0.25, 0.25, 0.5], [0.25, 0.25, 0.5])
    said = torch.tensor([[[1, 255]]], dtype=torch.uint8)
    combined = add_log_odds(even, said, float(np.log(3)))
    assert combined[0, :, 0, 0].tolist() == pytest.approx([0.25 / 1.5, 0.75 / 1.5, 0.5 / 1.5])
    assert combined[0, :, 0, 1].tolist() == [0.25, 0.25, 0.5], "void says nothing"
    assert torch.equal(add_log_odds(even, said, 0.0), even)

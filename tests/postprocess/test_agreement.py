"""Class maps that agree with the instances found, by hand."""

import math

import pytest
import torch

from dataset_dm.postprocess.agreement import agree

HIGH = 9.0


def image():
    """8 × 8: one instance in the left half, of which the class map says class 1 in three rows of four, else class 2."""
    foreground = torch.full((8, 8), -HIGH)
    foreground[:, :4] = HIGH
    centres, offsets = torch.full((2, 2), -HIGH), torch.zeros(2, 8, 8)
    centres[1, 0] = HIGH
    logits = torch.zeros(3, 8, 8)
    logits[0, :, 4:] = HIGH
    logits[1, :6, :4], logits[2, 6:, :4] = HIGH, HIGH
    return logits, foreground, centres, offsets


def test_an_instance_has_one_class():
    undecided = agree(*image(), lambda masks: torch.zeros(1, 2)).argmax(0)
    assert (undecided[:, :4] == 1).all() and (undecided[:, 4:] == 0).all()
    confidence = agree(*image(), lambda masks: torch.tensor([[-20.0, 20.0]])).argmax(0)
    assert (confidence[:, :4] == 2).all(), "the instance head outweighs the map's average"


def test_odds_against_background_are_the_mean_of_both_heads():
    logits, foreground, centres, offsets = image()
    logits = torch.stack([torch.zeros(8, 8), torch.zeros(8, 8), torch.full((8, 8), -HIGH * 9)])  # even odds
    foreground[:, :4] = math.log(9)
    chances = agree(logits, foreground, centres, offsets, lambda masks: torch.zeros(1, 2)).exp()
    assert chances.sum(0).flatten().tolist() == pytest.approx([1.0] * 64)
    assert chances[1, 0, 0].item() == pytest.approx(0.75)  # odds of 1 and 9: the mean of their logarithms is 3


def test_an_instance_of_no_listed_class_is_background():
    """A cat under a list of dogs: surely an instance, surely none of them."""
    logits, foreground, centres, offsets = image()
    logits = torch.stack([torch.full((8, 8), 4.0), torch.zeros(8, 8)])  # the map says background
    found = agree(logits, foreground, centres, offsets, lambda masks: torch.tensor([[-9.0]]))
    assert (found.argmax(0) == 0).all()


def test_without_instances_the_map_stays():
    logits, foreground, centres, offsets = image()
    same = agree(logits, foreground - 2 * HIGH - 1, centres, offsets, lambda masks: torch.zeros(0, 2))
    torch.testing.assert_close(same, logits.log_softmax(0))

"""Losses of class maps, by hand."""

import math

import pytest
import torch

from dataset_dm.decoder.losses.semantic import dice_loss, pixel_loss, presence_loss


def test_pixel_loss_by_hand():
    logits = torch.zeros(1, 2, 1, 2)
    logits[0, 1, 0, 0] = math.log(3)  # probabilities 1/4, 3/4 and 1/2, 1/2
    labels = torch.tensor([[[1, 0]]])
    assert pixel_loss(logits, labels).item() == pytest.approx((-math.log(0.75) - math.log(0.5)) / 2)


def test_void_pixels_leave_the_mean():
    logits = torch.zeros(1, 2, 1, 2)
    logits[0, 1, 0, 0] = math.log(3)
    assert pixel_loss(logits, torch.tensor([[[1, 255]]])).item() == pytest.approx(-math.log(0.75))
    assert pixel_loss(logits, torch.full((1, 1, 2), 255)).item() == 0


def test_dice_is_zero_when_right_and_near_one_when_wrong():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :4] = 1
    right = torch.nn.functional.one_hot(labels, 2).movedim(-1, 1).float() * 200 - 100
    assert dice_loss(right, labels).item() == pytest.approx(0, abs=1e-5)
    assert dice_loss(-right, labels).item() > 0.95


def test_presence_by_hand():
    labels = torch.tensor([[[0, 2], [255, 2]]])
    logits = torch.tensor([[-math.log(3), math.log(3)]])  # chances 1/4, 3/4; class 1 absent, class 2 present
    # class 1 may lie under the void: it counts by the three quarters that are known; the mean is over both classes
    assert presence_loss(logits, labels).item() == pytest.approx(-math.log(0.75) * (1 + 0.75) / 2)

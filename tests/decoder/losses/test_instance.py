"""Losses of instances, by hand."""

import math
from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder.losses.instance import centre_loss, centres_of, foreground_loss, offset_loss
from dataset_dm.decoder.losses.instance import class_loss as instance_class_loss
from tests.decoder.conftest import make_decoder, make_features, make_targets


def test_an_objects_share_of_the_centre_loss_does_not_hang_on_where_its_centre_lies():
    def loss(top: int) -> float:
        numbers = torch.zeros(1, 32, 32, dtype=torch.long)
        numbers[0, top : top + 8, 8:16] = 1
        return centre_loss(torch.zeros(1, 8, 8), centres_of(numbers)).item()

    # the centre in the middle of a cell, and between two: one object either way
    assert loss(10) == pytest.approx(loss(12), rel=0.1)


def test_centres_and_offsets_by_hand():
    instances = torch.zeros(1, 16, 16, dtype=torch.long)
    instances[0, 4:8, 4:12], instances[0, 12:] = 1, 255  # centre at (6, 8), a corner of cells
    target = centres_of(instances)
    assert target.foreground.sum() == 32 and target.known.sum() == 192
    assert target.offsets[0, :, 4, 4].tolist() == [1.5, 3.5]
    assert target.centres.shape == (1, 4, 4) and target.counted[0, 3].sum() == 0
    near = math.exp(-(0**2 + 2**2) / (2 * 8**2))  # cell (1, 1) has its centre at (6, 6)
    assert target.centres[0, 1, 1].item() == target.centres[0, 1, 2].item() == pytest.approx(near)


def test_perfect_maps_cost_nothing():
    target = centres_of(make_targets(1).instances)
    assert offset_loss(target.offsets, target).item() == 0
    assert foreground_loss(target.foreground * 200 - 100, target).item() == pytest.approx(0, abs=1e-4)
    assert centre_loss(torch.logit(target.centres, eps=1e-6), target).item() == pytest.approx(0, abs=1e-2)
    assert centre_loss(torch.zeros_like(target.centres), target).item() > 1


def test_an_instance_that_is_not_on_the_list_is_none_of_its_classes():
    output = make_decoder()(make_features(1))
    targets = make_targets(1)
    odds = torch.nn.functional.pad(output.instance.classes(0, targets.instance_masks(0)[0]), (0, 1))
    without_person = replace(targets, classes=(torch.tensor([0, 4]),))
    expected = (-odds[0].log_softmax(-1)[-1] - odds[1].log_softmax(-1)[3]) / 2
    assert instance_class_loss(output.instance, without_person).item() == pytest.approx(expected.item(), rel=1e-5)

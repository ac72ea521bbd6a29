"""From the head's numbers to metres, by hand."""

import math

import pytest
import torch

from dataset_dm.postprocess.depth import metres


def test_metres_unknown_and_confidence():
    log_depth = torch.tensor([[[math.log(2), math.log(7)]]])
    depth, confidence = metres(log_depth, torch.tensor([[[3.0, -3.0]]]), torch.tensor([[[math.log(3), 9.0]]]))
    assert depth.flatten().tolist() == pytest.approx([2, 0])
    assert confidence.flatten().tolist() == pytest.approx([0.75, 0])


def test_calibration_acts_on_the_log_odds():
    one = torch.ones(1, 1, 1)
    _, confidence = metres(one, one, one * math.log(9), calibration=(0.5, 0.0))
    assert confidence.item() == pytest.approx(0.75)  # odds of 9 become 3


def test_enlarging_invents_no_depth():
    log_depth = torch.tensor([[[math.log(1), math.log(9)]]])
    depth, _ = metres(log_depth, torch.ones(1, 1, 2), torch.ones(1, 1, 2), size=(4, 8))
    assert depth.unique().tolist() == pytest.approx([1, 9])

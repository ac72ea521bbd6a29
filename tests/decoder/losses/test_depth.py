"""Losses of depth, by hand."""

import math

import pytest
import torch

from dataset_dm.decoder.depth_head import DepthOutput
from dataset_dm.decoder.losses.depth import absolute_loss, scale_loss, silog_loss


def test_silog_by_hand():
    depth = torch.tensor([[[1.0, 1.0, 0.0, math.nan]]])
    log_depth = torch.tensor([[[0.2, 0.4, 9.0, 9.0]]])  # errors 0.2 and 0.4: mean square 0.1, mean 0.3
    expected = math.sqrt(0.1 - 0.5 * 0.09)
    assert silog_loss(log_depth, depth).item() == pytest.approx(expected, rel=1e-3)
    both = silog_loss(log_depth.expand(2, -1, -1), depth.expand(2, -1, -1), torch.tensor([True, False]))
    # the second image's depth is known up to a factor: only the spread of its errors counts
    assert both.item() == pytest.approx((expected + math.sqrt(0.1 - 0.09)) / 2, rel=1e-3)


def test_absolute_loss_by_hand():
    depth = torch.tensor([[[1.0, 1.0, 0.0]], [[1.0, 1.0, 0.0]]])
    log_depth = torch.tensor([[[0.2, -0.4, 9.0]], [[0.2, -0.4, 9.0]]])  # the second: errors about their mean, ±0.3
    assert absolute_loss(log_depth, depth, torch.tensor([True, False])).item() == pytest.approx((0.3 + 0.3) / 2)
    assert absolute_loss(log_depth[:1] + 1, depth[:1]).item() == pytest.approx((1.2 + 0.6) / 2)
    assert absolute_loss(log_depth, depth * 0) == 0


def test_scale_is_least_at_the_true_error_and_never_moves_the_depth():
    depth, log_depth = torch.ones(1, 1, 1), torch.full((1, 1, 1), 0.3, requires_grad=True)

    def loss(scale):
        return scale_loss(DepthOutput(log_depth, torch.full((1, 1, 1), math.log(scale)), depth), depth)

    assert loss(0.3) < loss(0.2) and loss(0.3) < loss(0.45)
    assert not loss(0.3).requires_grad

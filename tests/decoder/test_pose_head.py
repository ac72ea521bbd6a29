"""Where a person expects its joints, by hand."""

import math

import pytest
import torch

from dataset_dm.decoder.pose_head import boxes, expectation
from tests.decoder.conftest import make_decoder, make_features


def test_boxes_are_tight_and_an_empty_mask_is_the_whole_picture():
    masks = torch.zeros(2, 8, 10, dtype=torch.bool)
    masks[0, 2:6, 3:5] = True
    assert boxes(masks).tolist() == [[2, 3, 4, 2], [0, 0, 8, 10]]
    assert boxes(masks[:0]).shape == (0, 4)


def test_a_joint_is_expected_at_its_place_in_the_box():
    box = torch.tensor([[0.0, 8.0, 16.0, 8.0]])  # rows 0-16, columns 8-16: middle (8, 12)
    expected = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [-0.875, 0.75, math.log(4), 0.0]]])
    density = expectation(expected, box, (8, 8), stride=2)[0]
    # at stride 2 the cell (row 0, column 7) has its centre at pixel (1, 15): -0.875 down, 0.75 right
    assert divmod(density[1].argmax().item(), 8) == (0, 7) and density[1].max().item() == pytest.approx(0, abs=1e-6)
    # one cell lower is 0.25 of half a height: -0.5 · 4 · 0.0625
    assert density[1, 1, 7].item() == pytest.approx(-0.125, abs=1e-6)
    assert density[0].argmax().item() in {8 * row + column for row in (3, 4) for column in (5, 6)}


@torch.inference_mode()
def test_two_people_have_joints_of_their_own():
    output = make_decoder()(make_features(1))
    masks = torch.zeros(2, 64, 64, dtype=torch.bool)
    masks[0, 4:60, 2:14], masks[1, 4:60, 44:60] = True, True
    logits, _ = output.pose.of(0, masks)
    columns = logits.flatten(2).argmax(-1) % 32 * 2
    assert (columns[0] < 32).float().mean() > 0.8 and (columns[1] >= 32).float().mean() > 0.8
    alone, _ = output.pose.of(0, masks[1:])
    torch.testing.assert_close(alone[0], logits[1])

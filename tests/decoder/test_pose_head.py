"""A person's window, by hand, and that what is read in it is the person's own."""

import pytest
import torch

from dataset_dm.decoder.pose_head import CELLS, boxes, jittered, window_grid, windows_of
from tests.decoder.conftest import make_decoder, make_features


def test_boxes_are_tight_and_an_empty_mask_is_the_whole_image():
    masks = torch.zeros(2, 8, 10, dtype=torch.bool)
    masks[0, 2:6, 3:5] = True
    assert boxes(masks).tolist() == [[2, 3, 4, 2], [0, 0, 8, 10]]
    assert boxes(masks[:0]).shape == (0, 4)


def test_a_window_is_a_square_about_the_middle_and_larger():
    masks = torch.zeros(2, 64, 64, dtype=torch.bool)
    masks[0, 10:30, 40:50] = True  # 20 high: a side of 28 about (20, 45)
    masks[1, 0:4, 0:2] = True  # too small: a side of 16 about (2, 1)
    assert windows_of(masks).tolist() == [[6, 31, 28], [-6, -7, 16]]


def test_jitter_keeps_a_window_near():
    torch.manual_seed(0)
    window = torch.tensor([[10.0, 20.0, 40.0]]).expand(200, -1)
    moved = jittered(window, 0.2, 0.1)
    assert moved[:, 2].min() >= 32 and moved[:, 2].max() <= 48 and moved[:, 2].std() > 1
    middle = moved[:, :2] + moved[:, 2:] / 2
    assert (middle - torch.tensor([30.0, 40.0])).abs().max() <= 4.8 + 1e-4


def test_the_grid_ends_half_a_cell_inside_the_window():
    grid = window_grid(torch.tensor([[0.0, 0.0, 64.0], [32.0, 0.0, 32.0]]), (64, 64))
    half = 1 / CELLS
    assert grid[0, 0, 0].tolist() == pytest.approx([-1 + half, -1 + half])
    assert grid[0, -1, -1].tolist() == pytest.approx([1 - half, 1 - half])
    # the second window is the lower left quarter: x from -1 to 0, y from 0 to 1
    assert grid[1, 0, -1].tolist() == pytest.approx([-half / 2, half / 2], abs=1e-6)


@torch.inference_mode()
def test_people_are_read_apart():
    output = make_decoder()(make_features(1))
    masks = torch.zeros(2, 64, 64, dtype=torch.bool)
    masks[0, 4:60, 2:14], masks[1, 4:60, 44:60] = True, True
    both, alone = output.pose.of(0, masks), output.pose.of(0, masks[1:])
    torch.testing.assert_close(alone.joints[0], both.joints[1])
    torch.testing.assert_close(alone.visible[0], both.visible[1])
    assert not torch.equal(both.joints[0], both.joints[1])
    assert output.pose.of(0, masks[:0]).joints.shape == (0, 17, CELLS, CELLS)

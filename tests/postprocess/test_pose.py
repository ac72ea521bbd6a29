"""From joint maps to keypoints, by hand."""

import pytest
import torch

from dataset_dm.postprocess.pose import keypoints

SEEN, HIDDEN, AWAY = (-5.0, -5.0, 5.0), (-5.0, 5.0, -5.0), (5.0, -5.0, -5.0)


def one(row: int, column: int, visible=SEEN, window=(0.0, 0.0, 16.0), image=(64, 64)):
    logits = torch.full((1, 17, 16, 16), -20.0)
    logits[:, :, row, column] = 20.0
    return keypoints(logits, torch.tensor(visible).expand(1, 17, 3), torch.tensor([window]), image)


def test_a_peak_is_the_centre_of_its_cell_in_pixels_of_the_image():
    points, scores = one(3, 5, window=(10.0, -4.0, 32.0))  # cells of 2 × 2 pixels, from row 10 and column -4 on
    assert points[0, 0].tolist() == pytest.approx([7.0, 17.0, 2.0], abs=1e-3)
    assert scores[0, 0].item() == pytest.approx(1, abs=1e-3)


def test_two_equal_neighbours_share_the_place():
    logits = torch.full((1, 17, 16, 16), -20.0)
    logits[:, :, 4, 4] = logits[:, :, 4, 5] = 9.0
    points, _ = keypoints(logits, torch.tensor(SEEN).expand(1, 17, 3), torch.tensor([[0.0, 0.0, 16.0]]), (64, 64))
    assert points[0, 3].tolist() == pytest.approx([5.0, 4.5, 2.0], abs=1e-3)


def test_hidden_and_absent_joints():
    hidden, _ = one(3, 5, HIDDEN)
    away, scores = one(3, 5, AWAY)
    assert hidden[0, 0, 2] == 1
    assert not away.any() and not scores.any()


def test_a_window_may_reach_beyond_the_image_but_no_keypoint():
    window = (-16.0, 40.0, 32.0)  # rows -16..16, columns 40..72 of 64 x 64
    inside, _ = one(9, 5, window=window)
    assert inside[0, 0].tolist() == pytest.approx([51.0, 3.0, 2.0], abs=1e-3)
    for row, column in ((3, 5), (9, 13)):  # above it, and right of it
        points, scores = one(row, column, window=window)
        assert not points.any() and not scores.any()


def test_a_spread_map_has_a_low_score():
    window = torch.tensor([[0.0, 0.0, 16.0]])
    _, scores = keypoints(torch.zeros(1, 17, 16, 16), torch.tensor(SEEN).expand(1, 17, 3), window, (64, 64))
    assert scores[0, 0].item() == pytest.approx(25 / 256, abs=1e-3)


def test_no_person_gives_no_keypoints():
    points, scores = keypoints(torch.zeros(0, 17, 4, 4), torch.zeros(0, 17, 3), torch.zeros(0, 3), (64, 64))
    assert points.shape == (0, 17, 3) and scores.shape == (0, 17)

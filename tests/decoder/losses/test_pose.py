"""Losses of keypoints."""

from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder.losses.pose import aim, pose_loss
from dataset_dm.decoder.pose_head import CELLS
from tests.decoder.conftest import make_decoder, make_features, make_targets


def test_only_labelled_joints_of_people_have_a_place():
    output = make_decoder()(make_features(1))  # in training windows are jittered by chance
    targets = make_targets(1)
    place, visible = pose_loss(output.pose, targets)
    assert place > 0 and visible > 0
    moved = targets.keypoints[0].clone()
    moved[:, 5:, :2] += 30  # not labelled: may stand anywhere
    same, _ = pose_loss(output.pose, replace(targets, keypoints=(moved,)))
    assert same.item() == pytest.approx(place.item())
    none, unseen = pose_loss(output.pose, replace(targets, keypoints=(moved * 0,)))
    assert none == unseen == 0


def test_a_joint_is_aimed_at_where_it_lies_in_the_window():
    points = torch.zeros(1, 17, 3)
    cell = 20 / CELLS
    points[0, 0] = torch.tensor([30 + 3.5 * cell, 10 + 7.5 * cell, 2.0])  # the centre of row 7, column 3
    points[0, 1] = torch.tensor([90.0, 12.0, 2.0])  # outside of the window
    bells, inside = aim(points, torch.tensor([[10.0, 30.0, 20.0]]))
    assert divmod(bells[0, 0].argmax().item(), CELLS) == (7, 3)
    assert bells[0, 0].sum().item() == pytest.approx(1)
    assert inside[0, :3].tolist() == [True, False, False]

"""Losses by hand; void teaches nothing; every layer is supervised."""

import math
from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder.depth_head import DepthOutput
from dataset_dm.decoder.losses import LossConfig, decoder_loss
from dataset_dm.decoder.losses.depth import absolute_loss, known_loss, scale_loss, silog_loss
from dataset_dm.decoder.losses.instance import centre_loss, centres_of, foreground_loss, offset_loss
from dataset_dm.decoder.losses.instance import class_loss as things_loss
from dataset_dm.decoder.losses.pose import pose_loss
from dataset_dm.decoder.losses.semantic import dice_loss, pixel_loss, presence_loss
from dataset_dm.decoder.targets import shrink_labels
from tests.decoder.conftest import make_decoder, make_features, make_targets


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


def test_labels_shrink_to_the_nearest_never_to_a_mixture():
    labels = torch.tensor([[[0, 0, 20, 20], [0, 0, 20, 20], [255, 255, 7, 7], [255, 255, 7, 7]]])
    assert shrink_labels(labels, (2, 2)).tolist() == [[[0, 20], [255, 7]]]


def test_fault_3_void_is_not_background_for_any_part():
    """Where the truth is void no output gets a gradient, whatever it says there."""
    output = make_decoder().train()(make_features(1))
    targets = make_targets(1)
    targets.labels[:, 40:], targets.instances[:, 40:], targets.depth[:, 40:] = 255, 255, math.nan
    semantic = output.semantic.logits.detach().requires_grad_()
    (pixel_loss(semantic, targets.labels) + dice_loss(semantic, targets.labels)).backward()
    assert not semantic.grad[:, :, 40:].any() and semantic.grad[:, :, :40].any()
    maps = [each.detach().requires_grad_() for each in (output.instance.foreground, output.instance.offsets)]
    target = centres_of(targets.instances)
    (foreground_loss(maps[0], target) + offset_loss(maps[1], target)).backward()
    assert not maps[0].grad[:, 40:].any() and maps[0].grad[:, :40].any()
    assert not maps[1].grad[:, :, 40:].any() and maps[1].grad[:, :, :40].any()
    cells = output.instance.centres.detach().requires_grad_()
    centre_loss(cells, target).backward()
    assert not cells.grad[:, 10:].any() and cells.grad[:, :10].any()
    depth = output.depth.log_depth.detach().requires_grad_()
    known = output.depth.known.detach().requires_grad_()
    (silog_loss(depth, targets.depth) + known_loss(known, targets.depth)).backward()
    assert not depth.grad[:, 40:].any() and not known.grad[:, 40:].any() and depth.grad.any() and known.grad.any()


def test_fault_9_every_layer_is_supervised():
    output = make_decoder().train()(make_features(2))
    gradients = torch.autograd.grad(decoder_loss(output, make_targets(2), LossConfig())["loss"], output.semantic.aux)
    assert len(output.semantic.aux) == 2
    assert all(gradient.any() for gradient in gradients)


def test_images_without_objects_and_ones_that_are_all_void_train():
    output = make_decoder().train()(make_features(2))
    targets = make_targets(2)
    for values in (targets.labels, targets.instances):
        values[0], values[1] = 0, 255
    targets.depth[0], targets.depth[1] = 0, math.nan
    parts = decoder_loss(output, targets, LossConfig())
    assert parts["loss"].isfinite() and parts["joints"] == 0 and parts["depth"] == 0
    parts["loss"].backward()


def test_silog_by_hand():
    depth = torch.tensor([[[1.0, 1.0, 0.0, math.nan]]])
    log_depth = torch.tensor([[[0.2, 0.4, 9.0, 9.0]]])  # errors 0.2 and 0.4: mean square 0.1, mean 0.3
    expected = math.sqrt(0.1 - 0.5 * 0.09)
    assert silog_loss(log_depth, depth).item() == pytest.approx(expected, rel=1e-3)
    both = silog_loss(log_depth.expand(2, -1, -1), depth.expand(2, -1, -1), torch.tensor([True, False]))
    # the second picture's depth is known up to a factor: only the spread of its errors counts
    assert both.item() == pytest.approx((expected + math.sqrt(0.1 - 0.09)) / 2, rel=1e-3)


def test_absolute_loss_by_hand():
    depth = torch.tensor([[[1.0, 1.0, 0.0]], [[1.0, 1.0, 0.0]]])
    log_depth = torch.tensor([[[0.2, -0.4, 9.0]], [[0.2, -0.4, 9.0]]])  # the second: errors about their mean, ±0.3
    assert absolute_loss(log_depth, depth, torch.tensor([True, False])).item() == pytest.approx((0.3 + 0.3) / 2)
    assert absolute_loss(log_depth[:1] + 1, depth[:1]).item() == pytest.approx((1.2 + 0.6) / 2)
    assert absolute_loss(log_depth, depth * 0) == 0


def test_an_objects_share_of_the_centre_loss_does_not_hang_on_where_its_centre_lies():
    def loss(top: int) -> float:
        numbers = torch.zeros(1, 32, 32, dtype=torch.long)
        numbers[0, top : top + 8, 8:16] = 1
        return centre_loss(torch.zeros(1, 8, 8), centres_of(numbers)).item()

    # the centre in the middle of a cell, and between two: one object either way
    assert loss(10) == pytest.approx(loss(12), rel=0.1)


def test_sureness_is_least_at_the_true_error_and_never_moves_the_depth():
    depth, log_depth = torch.ones(1, 1, 1), torch.full((1, 1, 1), 0.3, requires_grad=True)

    def loss(scale):
        return scale_loss(DepthOutput(log_depth, torch.full((1, 1, 1), math.log(scale)), depth), depth)

    assert loss(0.3) < loss(0.2) and loss(0.3) < loss(0.45)
    assert not loss(0.3).requires_grad


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


def test_a_thing_that_is_not_on_the_list_is_none_of_its_classes():
    output = make_decoder()(make_features(1))
    targets = make_targets(1)
    odds = torch.nn.functional.pad(output.instance.classes(0, targets.instance_masks(0)[0]), (0, 1))
    without_person = replace(targets, classes=(torch.tensor([0, 4]),))
    expected = (-odds[0].log_softmax(-1)[-1] - odds[1].log_softmax(-1)[3]) / 2
    assert things_loss(output.instance, without_person).item() == pytest.approx(expected.item(), rel=1e-5)


def test_only_labelled_joints_of_people_have_a_place():
    output = make_decoder()(make_features(1))  # in training windows are jittered by chance
    targets = make_targets(1)
    place, visible = pose_loss(output.pose, targets)
    assert place > 0 and visible > 0
    moved = targets.keypoints[0].clone()
    moved[:, 5:, :2] += 30  # not labelled: may stand anywhere
    same, _ = pose_loss(output.pose, replace(targets, keypoints=(moved,)))
    assert same.item() == pytest.approx(place.item())
    nobody, unseen = pose_loss(output.pose, replace(targets, keypoints=(moved * 0,)))
    assert nobody == unseen == 0


def test_the_parts_add_up():
    parts = decoder_loss(make_decoder()(make_features(1)), make_targets(1), LossConfig())
    total = sum(value.item() for name, value in parts.items() if name != "loss")
    assert parts["loss"].item() == pytest.approx(total, rel=1e-5)
    assert {"pixel", "foreground", "centre", "offset", "instance_class", "depth", "joints", "visible"} <= parts.keys()

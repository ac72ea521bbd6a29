"""Losses by hand; void teaches nothing; every layer is supervised."""

import math

import pytest
import torch

from dataset_dm.decoder.losses import LossConfig, decoder_loss
from dataset_dm.decoder.losses.depth import known_loss, silog_loss
from dataset_dm.decoder.losses.instance import centre_loss, centres_of, foreground_loss, offset_loss
from dataset_dm.decoder.losses.semantic import dice_loss, pixel_loss
from tests.decoder.conftest import make_decoder, make_features, make_targets


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


def test_the_parts_add_up():
    parts = decoder_loss(make_decoder()(make_features(1)), make_targets(1), LossConfig())
    total = sum(value.item() for name, value in parts.items() if name != "loss")
    assert parts["loss"].item() == pytest.approx(total, rel=1e-5)
    assert {"pixel", "foreground", "centre", "offset", "instance_class", "depth", "joints", "visible"} <= parts.keys()

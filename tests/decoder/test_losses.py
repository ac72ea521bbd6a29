"""Losses by hand; void teaches nothing; every layer is supervised."""

import math

import pytest
import torch

from dataset_dm.decoder.losses import (
    LossConfig,
    decoder_loss,
    dice_loss,
    pixel_loss,
    presence_loss,
    query_loss,
    shrink_labels,
)
from dataset_dm.decoder.query_decoder import QueryOutput
from tests.decoder.conftest import make_decoder, make_features


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
    assert presence_loss(logits, labels).item() == pytest.approx(-math.log(0.75))


def test_labels_shrink_to_the_nearest_never_to_a_mixture():
    labels = torch.tensor([[[0, 0, 20, 20], [0, 0, 20, 20], [255, 255, 7, 7], [255, 255, 7, 7]]])
    assert shrink_labels(labels, (2, 2)).tolist() == [[[0, 20], [255, 7]]]


def test_fault_3_void_is_not_background_for_any_part():
    """Where the truth is void no output gets a gradient, whatever it says there."""
    output = make_decoder().train()(make_features(1))
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, 8:24, 8:24] = 2
    labels[:, 40:] = 255
    queries = tuple(QueryOutput(each.masks.detach().requires_grad_(), each.classes.detach()) for each in output.queries)
    semantic = output.semantic.detach().requires_grad_()
    (pixel_loss(semantic, labels) + dice_loss(semantic, labels)).backward()
    assert not semantic.grad[:, :, 40:].any() and semantic.grad[:, :, :40].any()
    torch.manual_seed(0)
    query_loss(queries, labels, 5, LossConfig()).backward()
    assert not queries[-1].masks.grad[:, :, 10:].any() and queries[-1].masks.grad[:, :, :10].any()


def test_fault_9_every_layer_is_supervised():
    features = make_features(2)
    decoder = make_decoder().train()
    labels = torch.randint(0, 6, (2, 64, 64), generator=torch.Generator().manual_seed(0))
    output = decoder(features)
    layers = [*output.aux, *(each.masks for each in output.queries), *(each.classes for each in output.queries)]
    gradients = torch.autograd.grad(decoder_loss(output, labels, LossConfig())["loss"], layers)
    assert len(output.aux) == 2 and len(output.queries) == 4
    assert all(gradient.any() for gradient in gradients)


def test_an_image_without_objects_and_one_that_is_all_void_train():
    output = make_decoder().train()(make_features(2))
    labels = torch.zeros(2, 64, 64, dtype=torch.long)
    labels[1] = 255
    parts = decoder_loss(output, labels, LossConfig())
    assert parts["loss"].isfinite()
    parts["loss"].backward()


def test_matching_is_blind_to_the_order_of_queries():
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, :16] = 1
    masks = torch.full((1, 2, 8, 8), -9.0)
    masks[0, 1, :4] = 9
    classes = torch.tensor([[[-9.0], [9.0]]])
    right = query_loss((QueryOutput(masks, classes),), labels, 1, LossConfig())
    turned = query_loss((QueryOutput(masks.flip(1), classes.flip(1)),), labels, 1, LossConfig())
    wrong = query_loss((QueryOutput(-masks, classes),), labels, 1, LossConfig())
    assert right.item() == pytest.approx(turned.item(), rel=0.2)
    assert wrong.item() > 10 * right.item()


def test_the_parts_add_up():
    parts = decoder_loss(make_decoder()(make_features(1)), torch.ones(1, 64, 64), LossConfig())
    total = sum(value.item() for name, value in parts.items() if name != "loss")
    assert parts["loss"].item() == pytest.approx(total, rel=1e-5)

"""The decoder as a whole: shapes, independence of samples and of classes, checkpoints."""

from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder.pose_head import CELLS
from dataset_dm.errors import AnnotatorMismatch
from dataset_dm.labels.tasks import TASKS
from tests.decoder.conftest import SPEC, make_decoder, make_features

CLOSE = {"atol": 2e-5, "rtol": 1e-4}


@torch.inference_mode()
def test_shapes_at_the_native_and_at_another_size(decoder):
    for size in ((64, 64), (32, 96)):
        output = decoder(make_features(2, 5, size=size))
        assert output.semantic.logits.shape == (2, 6, *size)
        assert [each.shape[-1] for each in output.semantic.aux] == [size[1] // 8, size[1] // 4]
        assert output.semantic.presence.shape == (2, 5)


@torch.inference_mode()
def test_every_head_speaks_at_the_size_of_the_image(decoder):
    output = decoder(make_features(2, 5, size=(32, 96)))
    instances = output.instance
    assert instances.foreground.shape == (2, 32, 96) and instances.offsets.shape == (2, 2, 32, 96)
    assert instances.centres.shape == (2, 8, 24) and output.depth.log_depth.shape == (2, 32, 96)
    masks = torch.zeros(3, 32, 96, dtype=torch.bool)
    masks[:, 4:9, 10:30] = True
    assert instances.classes(1, masks).shape == (3, 5) and instances.classes(0, masks[:0]).shape == (0, 5)
    found = output.pose.of(1, masks)
    assert (
        found.joints.shape == (3, 17, CELLS, CELLS)
        and found.visible.shape == (3, 17, 3)
        and found.windows.shape == (3, 3)
    )


@torch.inference_mode()
@pytest.mark.parametrize(
    "tasks", [("semantic",), ("instance",), ("depth",), ("instance", "pose"), ("semantic", "depth")]
)
def test_one_pass_gives_what_each_head_alone_gives(tasks, decoder, features):
    every, some = decoder(features), decoder(features, tasks)
    for name in TASKS:
        assert (getattr(some, name) is not None) == (name in tasks)
    alone = make_decoder(tasks=tasks)(features)
    assert (alone.depth is None) == ("depth" not in tasks) and (alone.semantic is None) == ("semantic" not in tasks)
    if "semantic" in tasks:
        torch.testing.assert_close(some.semantic.logits, every.semantic.logits)
    if "instance" in tasks:
        torch.testing.assert_close(some.instance.foreground, every.instance.foreground)
    if "depth" in tasks:
        torch.testing.assert_close(some.depth.log_depth, every.depth.log_depth)


def test_a_head_that_was_not_built_is_named(features):
    with pytest.raises(ValueError, match="no head for 'depth'"):
        make_decoder(tasks=("semantic",))(features, ("depth",))


@torch.inference_mode()
def test_permuting_the_class_list_permutes_the_output(decoder, features):
    order = [3, 0, 4, 1, 2]
    straight, turned = decoder(features), decoder(features.select_classes(order))
    at = torch.tensor([0, *(position + 1 for position in order)])
    torch.testing.assert_close(turned.semantic.logits, straight.semantic.logits[:, at], **CLOSE)
    torch.testing.assert_close(turned.semantic.presence, straight.semantic.presence[:, order], **CLOSE)
    assert straight.semantic.logits[:, 1:].std(dim=1).min() > 1e-4, "the classes must differ, or this test says nothing"


@torch.inference_mode()
def test_extending_the_class_list_extends_the_output(decoder, features):
    short, long = decoder(features.select_classes([0, 1])), decoder(features)
    torch.testing.assert_close(short.semantic.logits, long.semantic.logits[:, :3], **CLOSE)
    torch.testing.assert_close(short.semantic.presence, long.semantic.presence[:, :2], **CLOSE)


@torch.inference_mode()
def test_fault_7_shuffled_order_gives_the_same_labels(decoder):
    features = make_features(4)
    decoder.eval()
    straight, shuffled = decoder(features).semantic.logits, decoder(features.select([2, 0, 3, 1])).semantic.logits
    torch.testing.assert_close(shuffled, straight[[2, 0, 3, 1]], **CLOSE)
    assert not any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in decoder.modules())


@torch.inference_mode()
def test_fault_8_a_batch_is_n_times_one(decoder):
    features = make_features(3)
    together = decoder(features).semantic.logits
    alone = torch.cat([decoder(features.select([i])).semantic.logits for i in range(3)])
    torch.testing.assert_close(together, alone, **CLOSE)


@pytest.mark.parametrize("part", [{"tasks": ("semantic", "depth")}, {"attention": False}])
@torch.inference_mode()
def test_parts_can_be_left_out(part, features):
    output = make_decoder(**part)(features)
    assert output.semantic.logits.isfinite().all()


def test_a_wrong_generator_is_named_on_both_sides(decoder):
    decoder.check(SPEC)
    with pytest.raises(AnnotatorMismatch, match="wanted 0000000000000000, got 1111111111111111"):
        decoder.check(replace(SPEC, generator="1" * 16))

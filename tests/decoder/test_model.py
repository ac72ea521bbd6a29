"""The decoder as a whole: shapes, independence of samples and of classes, checkpoints."""

import math
from dataclasses import replace

import pytest
import torch

from dataset_dm.decoder import PDecoder
from dataset_dm.decoder.checkpoint import CONFIG, WEIGHTS, checkpoint_hash
from dataset_dm.decoder.depth_head import FACTOR, DepthOutput
from dataset_dm.decoder.evidence import hide_words
from dataset_dm.decoder.pose_head import CELLS
from dataset_dm.errors import AnnotatorMismatch, ModelError
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
def test_every_head_speaks_at_the_size_of_the_picture(decoder):
    output = decoder(make_features(2, 5, size=(32, 96)))
    things = output.instance
    assert things.foreground.shape == (2, 32, 96) and things.offsets.shape == (2, 2, 32, 96)
    assert things.centres.shape == (2, 8, 24) and output.depth.log_depth.shape == (2, 32, 96)
    masks = torch.zeros(3, 32, 96, dtype=torch.bool)
    masks[:, 4:9, 10:30] = True
    assert things.classes(1, masks).shape == (3, 5) and things.classes(0, masks[:0]).shape == (0, 5)
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
def test_depth_stays_in_the_range_of_its_data(decoder, features):
    near, far = decoder.config.depth_range
    depth = decoder(features).depth
    assert (depth.log_depth.exp() >= near / 1.21).all() and (depth.log_depth.exp() <= far * 1.21).all()
    sharp = DepthOutput(depth.log_depth, torch.full_like(depth.log_scale, math.log(FACTOR / math.log(2))), depth.known)
    # a scale of ln 1.25 / ln 2 means an even chance to be within a factor of 1.25
    torch.testing.assert_close(sharp.confidence_logit(), torch.zeros_like(depth.log_depth), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_class_without_words_is_told_by_its_evidence():
    text, kept = torch.randn(4000, 3), 0
    hidden = hide_words(text, 0.25)
    kept = (hidden != 0).any(1).float().mean().item()
    assert 0.7 < kept < 0.8 and torch.equal(hidden[hidden.any(1)], text[hidden.any(1)])


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


def test_dropout_is_off_after_loading(decoder, features, tmp_path):
    decoder.train().save_pretrained(tmp_path)
    loaded = PDecoder.from_pretrained(tmp_path)
    with torch.inference_mode():
        assert torch.equal(loaded(features).semantic.logits, loaded(features).semantic.logits)


@pytest.mark.parametrize("part", [{"tasks": ("semantic", "depth")}, {"attention": False}])
@torch.inference_mode()
def test_parts_can_be_left_out(part, features):
    output = make_decoder(**part)(features)
    assert output.semantic.logits.isfinite().all()


@pytest.mark.parametrize("kept", [("unet.a",), ("vae.d",), ("unet.b", "vae.c"), ("unet.a", "image")])
@torch.inference_mode()
def test_any_choice_of_levels_is_decoded_at_full_size(kept, features):
    spec = replace(SPEC, levels=tuple(level for level in SPEC.levels if level.name in kept))
    fewer = replace(features, levels={name: features.levels[name] for name in kept}, spec=spec)
    assert make_decoder(spec=spec)(fewer).semantic.logits.shape == (2, 6, 64, 64)


@torch.inference_mode()
def test_attention_counts(decoder, features):
    other = replace(features, class_attention=features.class_attention.flip(1))
    assert not torch.allclose(decoder(features).semantic.logits, decoder(other).semantic.logits, atol=1e-3)


def test_missing_attention_is_named(decoder, features):
    with pytest.raises(ValueError, match="class attention"):
        decoder(replace(features, class_attention=None))


def test_a_checkpoint_returns_the_same_decoder(decoder, features, tmp_path):
    decoder.configured(temperature=1.5, void_below=0.4, record={"command": "x"}).save_pretrained(tmp_path)
    loaded = PDecoder.from_pretrained(tmp_path)
    assert loaded.config == decoder.config and loaded.config.record == {"command": "x"}
    assert sorted(file.name for file in tmp_path.iterdir()) == [CONFIG, WEIGHTS]
    with torch.inference_mode():
        assert torch.equal(loaded(features).semantic.logits, decoder(features).semantic.logits)


def test_half_precision_halves_the_file_and_keeps_the_labels(decoder, features, tmp_path):
    decoder.save_pretrained(tmp_path / "full")
    decoder.save_pretrained(tmp_path / "half", half=True)
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    with torch.inference_mode():
        full, half = (PDecoder.from_pretrained(tmp_path / name)(features).semantic.logits for name in ("full", "half"))
    assert (full.argmax(1) == half.argmax(1)).float().mean() > 0.99


def test_the_hash_follows_the_bytes(decoder, tmp_path):
    decoder.save_pretrained(tmp_path)
    before = checkpoint_hash(tmp_path)
    decoder.save_pretrained(tmp_path)
    assert checkpoint_hash(tmp_path) == before
    decoder.configured(void_below=0.3).save_pretrained(tmp_path)
    assert checkpoint_hash(tmp_path) != before


def test_a_wrong_generator_is_named_on_both_sides(decoder):
    decoder.check(SPEC)
    with pytest.raises(AnnotatorMismatch, match="wanted 0000000000000000, got 1111111111111111"):
        decoder.check(replace(SPEC, generator="1" * 16))


def test_broken_checkpoints_are_one_line(decoder, tmp_path):
    decoder.save_pretrained(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelError, match="no config.json"):
        PDecoder.from_pretrained(tmp_path / "other")
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="cannot be read"):
        PDecoder.from_pretrained(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match="only safetensors"):
        PDecoder.from_pretrained(tmp_path)
    with pytest.raises(ModelError, match="decoder"):
        PDecoder.from_pretrained(tmp_path / "nowhere")


def test_weights_of_another_shape_of_net_are_refused(decoder, tmp_path):
    make_decoder(tasks=("semantic",)).save_pretrained(tmp_path / "a")
    decoder.save_pretrained(tmp_path / "b")
    (tmp_path / "a" / CONFIG).write_bytes((tmp_path / "b" / CONFIG).read_bytes())
    with pytest.raises(ModelError, match="on one side only"):
        PDecoder.from_pretrained(tmp_path / "a")

"""Feature specs and features: what is wanted, what is delivered, in which order."""

import json
from dataclasses import replace

import pytest
import torch

from dataset_dm.hypercolumns import Features, FeatureSpec, Level, gather_attention

LEVELS = (Level("unet.a", "unet", 2, 8), Level("vae.b", "vae", 3, 4), Level("unet.c", "unet", 1, 8))
SPEC = FeatureSpec(
    generator="abc", levels=LEVELS, attention=("x",), attention_heads=2, text_width=5, timestep=20, native_size=(16, 32)
)


def features(batch: int = 3, seed: int = 0) -> Features:
    draw = torch.Generator().manual_seed(seed)
    levels = {
        level.name: torch.randn(batch, level.channels, 16 // level.stride, 32 // level.stride, generator=draw)
        for level in LEVELS
    }
    return Features(levels, torch.randn(batch, 4, 2, 2, 4, generator=draw), torch.randn(4, 5, generator=draw), SPEC)


def test_a_spec_survives_json():
    assert FeatureSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC


def test_equal_specs_do_not_mismatch():
    assert SPEC.mismatch(replace(SPEC)) is None


@pytest.mark.parametrize(
    ("change", "wanted", "got"),
    [
        ({"generator": "xyz"}, "abc", "xyz"),
        ({"timestep": 100}, "wanted 20", "got 100"),
        ({"levels": (*LEVELS[:2], Level("unet.c", "unet", 7, 8))}, "unet.c (1 channels", "unet.c (7 channels"),
        ({"levels": (LEVELS[1], LEVELS[0], LEVELS[2])}, "the same 3 in another order", "got"),
    ],
)
def test_a_mismatch_names_both_sides(change, wanted, got):
    message = SPEC.mismatch(replace(SPEC, **change))
    assert wanted in message and got in message and "\n" not in message


@pytest.mark.parametrize("wrong", [("a", "nowhere", 1, 1), ("a", "unet", 0, 1), ("a", "unet", 1, 0)])
def test_an_impossible_level_is_refused(wrong):
    with pytest.raises(ValueError, match="level 'a'"):
        Level(*wrong)


def test_the_image_size_follows_from_grid_and_stride():
    assert features().image_size == (16, 32)


def test_selecting_images_and_classes_takes_all_that_belongs_to_them():
    one = features()
    some = one.select([2, 0])
    assert some.batch == 2
    assert torch.equal(some.levels["vae.b"][0], one.levels["vae.b"][2])
    assert torch.equal(some.class_attention[1], one.class_attention[0])
    few = one.select_classes([3, 1])
    assert torch.equal(few.class_text, one.class_text[[3, 1]])
    assert torch.equal(few.class_attention, one.class_attention[:, [3, 1]])


def test_attention_of_a_smaller_grid_is_enlarged_to_the_largest():
    small, large = torch.ones(1, 2, 3, 2, 2), torch.zeros(1, 2, 1, 4, 4)
    maps = gather_attention([small, large])
    assert maps.shape == (1, 2, 4, 4, 4)
    assert torch.equal(maps[:, :, :3], torch.ones(1, 2, 3, 4, 4)) and not maps[:, :, 3].any()


def test_half_precision_moves_everything():
    half = features().to(dtype=torch.float16)
    assert {value.dtype for value in half.levels.values()} | {half.class_text.dtype, half.class_attention.dtype} == {
        torch.float16
    }

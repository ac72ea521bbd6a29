"""Upsampling and standardising, by hand."""

import torch

from dataset_dm.decoder.blocks import ResidualBlock, Standardise, convex_upsample


def test_convex_weights_on_the_middle_cell_repeat_it():
    coarse = torch.arange(4.0).view(1, 1, 2, 2)
    weights = torch.full((1, 9, 4, 4), -50.0)
    weights[:, 4] = 50
    expected = coarse.repeat_interleave(2, -2).repeat_interleave(2, -1)
    torch.testing.assert_close(convex_upsample(coarse, weights), expected)


def test_convex_weights_can_point_to_a_neighbour():
    coarse = torch.arange(4.0).view(1, 1, 2, 2)
    weights = torch.full((1, 9, 4, 4), -50.0)
    weights[:, 5] = 50  # the cell to the right; at the border the cell itself
    torch.testing.assert_close(convex_upsample(coarse, weights)[0, 0, 0], torch.tensor([1.0, 1, 1, 1]))


def test_channels_do_not_meet_in_convex_upsampling():
    coarse, weights = torch.randn(1, 3, 4, 4), torch.randn(1, 9, 8, 8)
    whole = convex_upsample(coarse, weights)
    torch.testing.assert_close(whole[:, 1:2], convex_upsample(coarse[:, 1:2], weights))


def test_standardise_gives_mean_zero_and_deviation_one_a_channel():
    maps = torch.randn(8, 3, 16, 16) * torch.tensor([1.0, 10, 0.1]).view(1, 3, 1, 1) + 5
    scale = Standardise(3)
    scale.fit(maps)
    result = scale(maps).movedim(1, 0).flatten(1)
    torch.testing.assert_close(result.mean(1), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(result.std(1), torch.ones(3), atol=1e-2, rtol=0)


def test_a_spike_is_limited():
    scale = Standardise(1)
    assert scale(torch.full((1, 1, 1, 1), 1e6)).item() == 8


def test_a_residual_block_begins_as_the_identity():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(ResidualBlock(16, 8)(x), x)

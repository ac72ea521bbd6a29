"""Depth head: its range and its confidence."""

import math

import torch

from dataset_dm.decoder.depth_head import FACTOR, DepthOutput


@torch.inference_mode()
def test_depth_stays_in_the_range_of_its_data(decoder, features):
    near, far = decoder.config.depth_range
    depth = decoder(features).depth
    assert (depth.log_depth.exp() >= near / 1.21).all() and (depth.log_depth.exp() <= far * 1.21).all()
    sharp = DepthOutput(depth.log_depth, torch.full_like(depth.log_scale, math.log(FACTOR / math.log(2))), depth.known)
    # a scale of ln 1.25 / ln 2 means an even chance to be within a factor of 1.25
    torch.testing.assert_close(sharp.confidence_logit(), torch.zeros_like(depth.log_depth), atol=1e-4, rtol=0)

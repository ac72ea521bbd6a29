"""Instance head: weights under masks, and classes from the evidence there."""

import torch

from dataset_dm.decoder.instance_head import REACH, under
from tests.decoder.conftest import make_features


def test_weights_under_a_mask_by_hand() -> None:
    masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    masks[0, :2, :2] = True  # the upper left cell of 2 × 2
    masks[1, :, :] = True
    weights = under(masks, (2, 2))
    torch.testing.assert_close(weights[0], torch.tensor([[1.0, 0.0], [0.0, 0.0]]), atol=1e-5, rtol=0)
    torch.testing.assert_close(weights[1], torch.full((2, 2), 0.25), atol=1e-5, rtol=0)
    assert under(masks[:0], (2, 2)).shape == (0, 2, 2)


@torch.inference_mode()
def test_the_class_of_a_mask_follows_the_evidence_under_it(decoder) -> None:
    output = decoder(make_features(1)).instance
    left, right = torch.zeros(2, 64, 64, dtype=torch.bool).unbind()
    left[:, :32], right[:, 32:] = True, True
    odds = output.classes(0, torch.stack([left, right]))
    alone = output.classes(0, right[None])
    torch.testing.assert_close(odds[1:], alone)  # instances do not see each other
    assert not torch.allclose(odds[0], odds[1], atol=1e-3)


@torch.inference_mode()
def test_offsets_are_in_pixels(decoder) -> None:
    """Offsets are scaled by REACH: the same weights with half the unit would give half of them."""
    head, features = decoder.instance_head, make_features(1)
    output = decoder(features).instance
    fused = decoder.pixel_decoder(features)
    maps = head.leave(head.block(decoder.trunk(fused)))
    assert output.centres.equal(maps[:, 0])
    assert output.offsets.abs().amax() <= maps[:, 2:].abs().amax() * REACH + 1e-3

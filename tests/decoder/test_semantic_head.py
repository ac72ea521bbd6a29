"""Semantic head: logits at three grids, the finest at image size; presence of each class."""

import torch

from tests.decoder.conftest import make_features


@torch.inference_mode()
def test_background_comes_first_and_inner_layers_are_coarser(decoder) -> None:
    output = decoder(make_features(2, 3)).semantic
    assert output.logits.shape == (2, 4, 64, 64)
    assert [layer.shape for layer in output.aux] == [(2, 4, 8, 8), (2, 4, 16, 16)]


@torch.inference_mode()
def test_presence_follows_the_odds_of_the_class(decoder) -> None:
    head = decoder.semantic_head
    evidence = torch.zeros(1, 2, decoder.config.evidence_width, 8, 8)
    logits = torch.zeros(1, 3, 16, 16)
    logits[0, 1, :4] = 8  # class 1 in a quarter of the image, class 2 nowhere
    logits[0, 2] = -8
    pooled = []
    head.presence.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    head._presence(evidence, logits)
    (inputs,) = pooled
    width = decoder.config.evidence_width
    maximum, mean, top = inputs[0, :, width:].unbind(-1)
    assert maximum.tolist() == [2, -2]  # the largest log-odds over 4
    torch.testing.assert_close(mean, torch.tensor([0.25 * 0.99966 + 0.75 * 0.5, 0.000335]), atol=1e-4, rtol=0)
    assert top[0] > 1.9 and top[1] < -1.9

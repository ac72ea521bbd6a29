"""Loss of the autoencoder, worked out by hand."""

import pytest
import torch

from dataset_dm.miniature.recipe.autoencoder import EDGE_WEIGHT, KL_WEIGHT, SQUARED_WEIGHT, reconstruction_loss


def test_the_loss_by_hand() -> None:
    images, logvar = torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 1, 1)
    output = torch.full((1, 3, 2, 2), 0.5)
    output[..., 1] = 1.0  # a step of 0.5 from left to right, none from top to bottom
    loss, parts = reconstruction_loss(output, images, torch.full((1, 1, 1, 1), 2.0), logvar)
    absolute, squared, edges, kl = 0.75, (0.25 + 1) / 2, 0.5, 2.0
    expected = absolute + SQUARED_WEIGHT * squared + EDGE_WEIGHT * edges + KL_WEIGHT * kl
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert parts["kl"].item() == pytest.approx(2.0)
    assert parts["psnr"].item() == pytest.approx(8.0618, abs=1e-3)  # -10 log10(0.625 / 4)


def test_a_perfect_reconstruction_costs_nothing() -> None:
    images, latent = torch.rand(2, 3, 4, 4), torch.zeros(2, 8, 1, 1)
    assert reconstruction_loss(images, images, latent, latent)[0].item() == 0

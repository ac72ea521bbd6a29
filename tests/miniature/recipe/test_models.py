"""The networks of Miniature: shapes, and the names of their weights."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dataset_dm.miniature.recipe.models import autoencoder, rename_text_weights, scheduler


def test_the_autoencoder_divides_each_side_by_eight() -> None:
    vae = autoencoder().eval()
    with torch.no_grad():
        latents = vae.encode(torch.zeros(1, 3, 32, 48)).latent_dist.mean
        assert latents.shape == (1, 8, 4, 6) and vae.decode(latents).sample.shape == (1, 3, 32, 48)


def test_the_last_training_step_is_noise_alone() -> None:
    """The solver caps the noise at its first step just below infinity, so that it can divide."""
    assert scheduler().alphas_cumprod[-1].item() < 1e-7


def test_text_weights_get_the_prefix_once(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"text_model.a": torch.zeros(1), "b": torch.ones(1)}, file)
    rename_text_weights(file)
    assert sorted(load_file(file)) == ["text_model.a", "text_model.b"]
    assert load_file(file)["text_model.b"].item() == 1

"""Inputs of the generator's training: latents of both mirror images, and tokens."""

import numpy as np
import pytest
import torch

from dataset_dm.miniature.recipe.batches import Batches, to_float
from dataset_dm.miniature.recipe.models import autoencoder
from dataset_dm.miniature.recipe.renders import Renders
from dataset_dm.miniature.recipe.text_to_image import encode_latents, tokenize
from dataset_dm.miniature.recipe.tokenizer import train_tokenizer


def test_latents_are_the_means_of_the_image_and_its_mirror_image() -> None:
    torch.manual_seed(0)
    vae = autoencoder().eval()
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    batches = Batches(Renders([images], [images[..., 0]], [("a",), ("b",)]), torch.device("cpu"))
    latents, scale = encode_latents(vae, batches, "fp32", batch=1)
    assert latents.shape == (2, 2, 8, 4, 4)
    for side, pixels in enumerate((images, images[:, :, ::-1].copy())):
        with torch.no_grad():
            mean = vae.encode(to_float(torch.from_numpy(pixels))).latent_dist.mean
        assert torch.allclose(latents[side].float(), mean, atol=1e-3)
    assert scale == pytest.approx(1 / latents[0].float().std().item())


def test_every_scene_has_as_many_captions_as_the_one_with_the_fewest() -> None:
    captions = [("a dog", "one dog"), ("a cat",)]
    tokenizer = train_tokenizer([text for texts in captions for text in texts])
    ids = tokenize(captions, tokenizer)
    assert ids.shape == (2, 1, 77)
    assert tokenizer.decode(ids[1, 0].tolist(), skip_special_tokens=True).strip() == "a cat"

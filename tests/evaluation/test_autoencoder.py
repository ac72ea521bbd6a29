"""The autoencoder's losses by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.diffusion import Backbone, decode_latents, encode_images, to_uint8
from dataset_dm.evaluation import autoencoder, sources
from dataset_dm.miniature.judge import Judge
from tests.evaluation.conftest import confusion_of


def test_autoencoder_figures_by_hand(backbone: Backbone, judge: Judge) -> None:
    fidelity, worst = autoencoder.reconstruct(backbone, judge, sources.renders(2, 2), 2)
    batch = next(sources.renders(2, 2))
    copies = to_uint8(decode_latents(backbone, encode_images(backbone, batch.inputs.images))).numpy()
    errors = ((copies.astype(float) - batch.clean) ** 2).mean(axis=(1, 2, 3))
    assert fidelity.psnr == pytest.approx([10 * np.log10(255**2 / e) for e in errors])
    assert fidelity.figures()["psnr_db_of_pooled_error"] == pytest.approx(10 * np.log10(255**2 / errors.mean()))
    assert worst.rows()[0].index == int(errors.argmax())
    seen, truth = judge.segment(batch.inputs.images).numpy(), batch.truth
    assert np.array_equal(fidelity.originals.matrix, confusion_of(seen, truth).matrix)
    assert np.array_equal(
        fidelity.copies.matrix, confusion_of(judge.segment(torch.from_numpy(copies)).numpy(), truth).matrix
    )


def test_psnr_by_hand() -> None:
    assert autoencoder.psnr(255**2) == 0 and autoencoder.psnr(255**2 / 100) == pytest.approx(20)
    assert autoencoder.psnr(0) == float("inf")

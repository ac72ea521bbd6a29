"""The guided filter on steps and on an even image."""

import pytest
import torch

from dataset_dm.postprocess.edges import follow_edges


def test_maps_follow_the_edges_of_the_image():
    """The image's border runs where the coarse map only has a slope."""
    image = torch.zeros(32, 32, 3, dtype=torch.uint8)
    image[:, 18:] = 200
    coarse = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]).expand(1, 8, 8)
    fine = follow_edges(coarse, image)[0]
    assert fine.shape == (32, 32)
    step = fine[16, 18] - fine[16, 17]
    assert step > 0.5, "the map jumps where the image does"
    assert (fine[:, :17].diff(dim=1).abs() < 0.1).all()


def test_an_even_image_has_no_edges_to_follow():
    coarse = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0))
    fine = follow_edges(coarse, torch.full((32, 48, 3), 90, dtype=torch.uint8))
    assert fine.shape == (2, 32, 48)
    assert fine.mean() == pytest.approx(float(coarse.mean()), abs=0.05) and fine.std() < coarse.std()

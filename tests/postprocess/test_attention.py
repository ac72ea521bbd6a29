"""Attention maps to labels, by hand."""

import numpy as np
import pytest
import torch

from dataset_dm.postprocess.attention import annotate, exponentiate, min_max, presence

# four cells in a row: the first two look at each other, the last two as well
PAIRS = torch.tensor([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5]])
# each cell looks at itself and, a quarter each, at its two neighbours on a ring
RING = torch.tensor([[0.5, 0.25, 0, 0.25], [0.25, 0.5, 0.25, 0], [0, 0.25, 0.5, 0.25], [0.25, 0, 0.25, 0.5]])


def test_exponentiation_by_hand_on_four_pixels():
    spike = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert exponentiate(PAIRS, spike, 1).tolist() == [[[0.5, 0.5], [0.0, 0.0]]]
    assert exponentiate(RING, spike, 0).tolist() == spike.tolist()
    assert exponentiate(RING, spike, 1).tolist() == [[[0.5, 0.25], [0.0, 0.25]]]
    # .5·.5 + 2·.25·.25;  2·.5·.25;  2·.25·.25
    assert exponentiate(RING, spike, 2).tolist() == [[[0.375, 0.25], [0.125, 0.25]]]


def test_products_with_vectors_are_the_matrix_power():
    self_map = torch.rand(6, 6, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    maps = torch.rand(3, 2, 3, generator=torch.Generator().manual_seed(1))
    expected = (torch.linalg.matrix_power(self_map, 4) @ maps.reshape(3, 6).T).T.reshape(3, 2, 3)
    assert torch.allclose(exponentiate(self_map, maps, 4), expected, atol=1e-6)


def test_min_max_of_each_map():
    maps = torch.tensor([[[1.0, 3.0], [2.0, 5.0]], [[7.0, 7.0], [7.0, 7.0]]])
    assert min_max(maps).tolist() == [[[0.0, 0.5], [0.25, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_presence_rises_with_what_naming_explains():
    low, half, high = presence(torch.tensor([0.0, 0.552, 1.0])).tolist()
    assert low < 0.1 and half == pytest.approx(0.5) and high > 0.85


def test_thresholds_make_class_void_and_background():
    maps = torch.tensor([[[0.9, 0.5, 0.41, 0.1]], [[0.2, 0.55, 0.3, 0.2]]])
    found = annotate(maps, [4, 1], np.zeros(6), foreground=0.6, background=0.4, keep_probability=True)
    assert found.label.tolist() == [[5, 255, 255, 0]] and found.label.dtype == np.uint8
    assert found.full.tolist() == [[5, 2, 0, 0]]  # 0.55 is above midway, 0.41 below
    assert found.uncertain == 0.5 and found.presence.dtype == np.float32
    assert found.probability[0, 0] > 0.95 and 0.5 < found.probability[0, 1] < 0.65
    assert found.confidence == pytest.approx(found.probability.mean())


def test_no_class_is_all_background():
    found = annotate(torch.zeros(0, 2, 3), [], np.zeros(2), foreground=0.5, background=0.0)
    assert found.label.tolist() == [[0, 0, 0], [0, 0, 0]] == found.full.tolist() and found.uncertain == 0

"""A step's randomness is its own."""

import torch

from dataset_dm.optimization.randomness import seeded

CPU = torch.device("cpu")


def test_the_global_generator_is_seeded_within_and_restored() -> None:
    before = torch.get_rng_state()
    draws = []
    for seed in (1, 1, 2):
        with seeded(seed, CPU) as generator:
            draws.append((torch.rand(1).item(), torch.rand(1, generator=generator).item()))
    assert draws[0] == draws[1] != draws[2] and torch.equal(torch.get_rng_state(), before)

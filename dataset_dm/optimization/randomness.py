"""Randomness of a step: a generator of its own, and torch's global one put back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """A fresh generator on the device; within the block torch's global generators have the same seed (for dropout).

    The CPU's global generator and the device's are as before after the block. Other devices are left alone, which
    `torch.manual_seed` would not do.
    """
    module = None if device.type in ("cpu", "meta") else getattr(torch, device.type)
    with torch.random.fork_rng(devices=[]), torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        before = None if module is None else module.get_rng_state()
        torch.default_generator.manual_seed(seed)
        if module is not None:
            module.manual_seed(seed)
        try:
            yield torch.Generator(device).manual_seed(seed)
        finally:
            if module is not None:
                module.set_rng_state(before)


def step_seed(seed: int, index: int) -> int:
    """Seed of one micro-batch of a training."""
    return (seed * 1_000_003 + index) % 2**63

"""Learning rates by step, out of the schedules of transformers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers import get_scheduler

from dataset_dm.optimization.config import LoopConfig


def learning_rate_shares(config: LoopConfig) -> Callable[[float], float]:
    """Step (0 …) → share of the highest learning rate, 0..1.

    A pure function of the step, so a resumed training needs no state of a scheduler. transformers counts the steps
    done: its first rate is 0. Here step s has its rate of s + 1: a warm-up over w steps begins at 1 / w and reaches 1
    in step w - 1, and the last step has the lowest rate.
    """
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)  # a schedule of transformers cannot be had without one
    floor = {"min_lr_rate": config.min_lr_rate} if config.schedule == "cosine_with_min_lr" else None
    schedule = get_scheduler(config.schedule, optimizer, config.warmup, config.steps, floor)
    share = schedule.lr_lambdas[0]
    return lambda step: float(share(step + 1))

"""How the recipe uses the training loop: progress lines, and a stage resumes where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from dataset_dm.errors import ConfigError
from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.loop import Loop
from dataset_dm.optimization.state import STATE, Progress

EARLIER_STATE = "state.safetensors"  # as earlier versions wrote it, into the folder itself
LOG_EVERY = 50  # steps

# (number of the batch, source of its randomness) → "loss" and what else is shown
LossFunction = Callable[[int, torch.Generator], Mapping[str, Tensor]]


def train(modules: Mapping[str, nn.Module], loss: LossFunction, config: LoopConfig, folder: Path) -> Progress:
    """Trains the modules in place, from the state in `folder` if there is one, and leaves their moving average in them.

    Raises:
        ConfigError: the state in `folder` is that of another version.
    """
    if (folder / EARLIER_STATE).is_file():
        line = f"resume: {folder / EARLIER_STATE} was written by an earlier version"
        raise ConfigError(f"{line}; remove it, or choose other --runs")

    def report(progress: Progress, pace: float) -> None:
        if config.seconds is None:
            done, left = progress.step / config.steps, pace * (config.steps - progress.step)
        else:
            done, left = progress.seconds / config.seconds, config.seconds - progress.seconds
        means = "  ".join(f"{name} {value:.4f}" for name, value in progress.history[-1].items() if name != "step")
        rate = f"{1 / pace:.2f} steps/s, {left / 60:.1f} min left"
        print(f"{folder.name} step {progress.step} ({done:.0%})  {means}  {rate}", flush=True)

    parameters = [value for module in modules.values() for value in module.parameters() if value.requires_grad]
    matrices = {"params": [value for value in parameters if value.ndim > 1], "weight_decay": config.weight_decay}
    rest = {"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0}
    loop = Loop(
        modules=modules,
        config=config,
        batch_at=lambda index: index,
        loss=loss,
        groups=[group for group in (matrices, rest) if group["params"]],
        folder=folder,
        on_report=report,
    )
    return loop.run(resume=(folder / STATE).is_file())

"""An interrupted training on disk: weights, their average and the optimiser as safetensors, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dataset_dm.errors import ConfigError
from dataset_dm.files.atomic import write_atomically

STATE, TENSORS = "state.json", "state.safetensors"


@dataclass
class Progress:
    """Where a training stands: steps done, the curves so far, the best evaluation."""

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = -1.0
    best_step: int = 0
    bad: int = 0  # evaluations since the best one
    sums: dict[str, float] = field(default_factory=dict)  # of the loss parts since the last evaluation


class Average:
    """Exponential moving average of a model's weights: it labels better than the last step's own."""

    def __init__(self, model: nn.Module) -> None:
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, decay: float) -> None:
        """Moves towards the model's present weights."""
        for name, value in model.state_dict().items():
            kept = self.weights[name]
            if kept.is_floating_point():
                kept.lerp_(value, 1 - decay)
            else:
                kept.copy_(value)


def save_state(
    folder: Path,
    progress: Progress,
    key: Mapping[str, Any],
    model: nn.Module,
    average: Average,
    best: Mapping[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Writes everything that the next step depends on; the JSON last, so a half-written state is never read."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.weights.items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    names = _parameter_names(model, optimiser)
    for parameter, values in optimiser.state.items():
        tensors |= {f"optimiser.{names[parameter]}:{kind}": torch.as_tensor(v) for kind, v in values.items()}
    target = folder / f"{progress.step:08d}.{TENSORS}"
    write_atomically(target, save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}))
    text = json.dumps({"tensors": target.name, "key": dict(key), **vars(progress)})
    write_atomically(folder / STATE, text.encode("utf-8"))
    for old in folder.glob(f"*.{TENSORS}"):
        if old.name != target.name:
            old.unlink()


def load_state(
    folder: Path, key: Mapping[str, Any], model: nn.Module, average: Average, optimiser: torch.optim.Optimizer
) -> tuple[Progress, dict[str, Tensor]]:
    """Puts a saved state back; returns the progress and the best weights so far.

    Raises:
        ConfigError: there is none, or it belongs to other settings.
    """
    file = folder / STATE
    if not file.is_file():
        raise ConfigError(f"resume: there is no interrupted training in {folder.parent}; start it without --resume")
    plain = json.loads(file.read_text(encoding="utf-8"))
    written, wanted = plain.pop("key"), json.loads(json.dumps(dict(key)))
    for name in wanted:
        if written.get(name) != wanted[name]:
            raise ConfigError(
                f"resume: {name} was {written.get(name)!r} when this training began, now it is {wanted[name]!r}; "
                "give the same settings or start anew with --overwrite"
            )
    tensors = load_file(folder / plain.pop("tensors"))
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "optimiser": {}}
    for name, value in tensors.items():
        group, _, rest = name.partition(".")
        parts[group][rest] = value
    model.load_state_dict(parts["model"])
    for name, value in parts["average"].items():
        average.weights[name].copy_(value)
    by_name = {name: parameter for parameter, name in _parameter_names(model, optimiser).items()}
    for name, value in parts["optimiser"].items():
        parameter_name, _, kind = name.rpartition(":")
        parameter = by_name[parameter_name]
        # AdamW keeps its step counter on the CPU, its moments beside the weights
        optimiser.state[parameter][kind] = value if kind == "step" else value.to(parameter.device)
    return Progress(**plain), parts["best"]


def _parameter_names(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[Tensor, str]:
    known = {parameter for group in optimiser.param_groups for parameter in group["params"]}
    return {parameter: name for name, parameter in model.named_parameters() if parameter in known}

"""An interrupted training on disk: tensors as safetensors, the rest as JSON.

`accelerate.save_state` would pickle the optimizer and the random states. Here nothing is pickled: the optimizer's
moments are tensors with names, and there are no random states, because a step's randomness follows from its number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from safetensors.torch import load_file, save
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from dataset_dm.errors import ConfigError
from dataset_dm.files.atomic import write_atomically
from dataset_dm.optimization.weights import Weights

STATE, TENSORS = "state.json", "state.safetensors"
STATE_VERSION = 2  # raised by hand when a state is laid out differently, or goes on to other weights


@dataclass
class Progress:
    """How far a training is: steps done, the curves so far, the best evaluation."""

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)  # one entry an evaluation
    best: float | None = None
    best_step: int = 0
    evals_since_best: int = 0
    sums: dict[str, float] = field(default_factory=dict)  # of the loss parts since the last evaluation
    seconds: float = 0.0


@dataclass
class TrainState:
    """Everything that the next step depends on.

    Args:
        ema: None without a moving average.
        best: the weights of the best evaluation; None before the first one.
        scaler: of gradients under fp16.
    """

    weights: Weights
    ema: AveragedModel | None
    optimizer: torch.optim.Optimizer
    scaler: Any = None
    best: Mapping[str, Tensor] | None = None
    progress: Progress = field(default_factory=Progress)

    def averaged(self) -> Mapping[str, Shaped[Tensor, "*_"]]:
        """The moving average, or the present weights without one."""
        return (self.weights if self.ema is None else self.ema.module).state_dict()

    def save(self, folder: Path, key: Mapping[str, Any]) -> None:
        """Writes the state; the JSON last, so a half-written state is never read."""
        tensors = {f"weights.{name}": value for name, value in self.weights.state_dict().items()}
        if self.ema is not None:
            tensors |= {f"average.{name}": value for name, value in self.averaged().items()}
        tensors |= {f"best.{name}": value for name, value in (self.best or {}).items()}
        names = self._names()
        for number, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{names[number]}:{kind}": torch.as_tensor(v) for kind, v in values.items()}
        target = folder / f"{self.progress.step:08d}.{TENSORS}"
        write_atomically(target, save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}))
        plain = {"version": STATE_VERSION, "tensors": target.name, "key": dict(key), "progress": vars(self.progress)}
        if self.scaler is not None:
            plain["scaler"] = self.scaler.state_dict()
        write_atomically(folder / STATE, json.dumps(plain).encode("utf-8"))
        for old in folder.glob(f"*.{TENSORS}"):
            if old.name != target.name:
                old.unlink()

    def load(self, folder: Path, key: Mapping[str, Any]) -> None:
        """Puts a saved state back.

        Raises:
            ConfigError: there is none, or it belongs to other settings or to another version.
        """
        plain = _read(folder, key)
        self.progress = Progress(**plain["progress"])
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "average": {}, "best": {}, "optimizer": {}}
        for name, value in load_file(folder / plain["tensors"]).items():
            group, _, rest = name.partition(".")
            parts[group][rest] = value
        self.weights.load(parts["weights"])
        if self.ema is not None:
            self.ema.module.load(parts["average"])
            self.ema.n_averaged.fill_(self.progress.step + 1)
        device = next(self.weights.parameters()).device
        self.best = {name: value.to(device) for name, value in parts["best"].items()} or None
        numbers = {name: number for number, name in enumerate(self._names())}
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in parts["optimizer"].items():
            parameter, _, kind = name.rpartition(":")
            moments.setdefault(numbers[parameter], {})[kind] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        if self.scaler is not None:
            self.scaler.load_state_dict(plain["scaler"])

    def _names(self) -> list[str]:
        """Names of the parameters in the order of the optimizer's numbers."""
        names = {id(value): name for name, value in self.weights.named_parameters()}
        return [names[id(value)] for group in self.optimizer.param_groups for value in group["params"]]


def _read(folder: Path, key: Mapping[str, Any]) -> dict[str, Any]:
    file = folder / STATE
    if not file.is_file():
        raise ConfigError(f"resume: there is no interrupted training in {folder.parent}; start it without --resume")
    plain = json.loads(file.read_text(encoding="utf-8"))
    if plain.get("version") != STATE_VERSION:
        line = f"resume: the training in {folder.parent} was begun by another version"
        raise ConfigError(f"{line}; start it again with --overwrite")
    written, wanted = plain["key"], json.loads(json.dumps(dict(key)))
    for name in wanted:
        if written.get(name) != wanted[name]:
            raise ConfigError(
                f"resume: {name} was {written.get(name)!r} when this training began, now it is {wanted[name]!r}; "
                "give the same settings or start again with --overwrite"
            )
    return plain

"""One training loop for every network of the recipe: AdamW, warm-up and cosine, EMA, exact resume.

The loop owns no data and no loss. A step's randomness comes from (seed, step) alone, so a run that is stopped and
resumed takes the same steps as one that is not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How long and how fast to train."""

    steps: int
    batch: int
    lr: float
    warmup: int = 200
    weight_decay: float = 0.01
    # share of the old average kept at each step; shorter early on, so that a short run is not dominated by its start
    ema: float = 0.999
    clip: float = 1.0
    seed: int = 0
    save_every: int = 1000
    log_every: int = 50

    # train for so long instead of for `steps`: for a machine whose pace is not known beforehand
    seconds: float | None = None

    def rate(self, step: int, progress: float) -> float:
        """Learning rate: linear warm-up over `warmup` steps, then half a cosine over the progress, down to 2 %."""
        return self.lr * min(1.0, (step + 1) / self.warmup) * (0.51 + 0.49 * math.cos(math.pi * min(1.0, progress)))


@dataclass(frozen=True, slots=True)
class Step:
    """What a loss may know of the step: its number, progress in [0, 1], and its own source of randomness."""

    number: int
    progress: float
    generator: torch.Generator


LossFunction = Callable[[Step], tuple[Tensor, dict[str, Tensor]]]


class Trainer:
    """Trains `modules` (name -> module) in place and keeps their moving average; state lives in `folder`."""

    def __init__(self, modules: Mapping[str, nn.Module], schedule: Schedule, folder: Path, device: torch.device):
        self.modules, self.schedule, self.folder, self.device = dict(modules), schedule, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        for module in self.modules.values():
            module.to(device).train()
        self.parameters = {
            f"{name}.{key}": value
            for name, module in self.modules.items()
            for key, value in module.named_parameters()
            if value.requires_grad
        }
        decayed = [p for p in self.parameters.values() if p.ndim > 1]
        plain = [p for p in self.parameters.values() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=schedule.lr,
            betas=(0.9, 0.99),
            fused=device.type == "cuda",
        )
        self.average = {key: value.detach().clone() for key, value in self.parameters.items()}
        self.step, self.seconds = 0, 0.0

    @property
    def progress(self) -> float:
        """Share of the schedule that is done."""
        if self.schedule.seconds is not None:
            return self.seconds / self.schedule.seconds
        return self.step / self.schedule.steps

    def run(self, loss_function: LossFunction, stop_at: int | None = None) -> None:
        """Train to the end of the schedule, or to step `stop_at`; saves the state on leaving."""
        start, totals = time.monotonic() - self.seconds, {}
        while self.progress < 1 and self.step != stop_at:
            totals = self._one_step(loss_function, totals)
            self.seconds = time.monotonic() - start
            if self.step % self.schedule.log_every == 0:
                self._log(totals)
                totals = {}
            if self.step % self.schedule.save_every == 0:
                self.save()
        self.save()

    def _one_step(self, loss_function: LossFunction, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        schedule = self.schedule
        generator = torch.Generator(self.device).manual_seed(schedule.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.rate(self.step, self.progress)
        loss, parts = loss_function(Step(self.step, self.progress, generator))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(list(self.parameters.values()), schedule.clip)
        self.optimizer.step()
        keep = min(schedule.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.values()), list(self.parameters.values()), 1 - keep)
        self.step += 1
        parts = {"loss": loss, **parts}
        return {key: totals.get(key, 0) + value.detach() for key, value in parts.items()}

    def _log(self, totals: dict[str, Tensor]) -> None:
        means = "  ".join(f"{key} {float(value) / self.schedule.log_every:.4f}" for key, value in totals.items())
        left = self.seconds * (1 / self.progress - 1)
        pace = f"{self.step / self.seconds:.2f} steps/s, {left / 60:.1f} min left"
        print(f"{self.folder.name} step {self.step} ({self.progress:.0%})  {means}  {pace}", flush=True)

    def load_average(self) -> None:
        """Put the moving average into the modules (for saving or judging, not for going on)."""
        with torch.no_grad():
            for key, value in self.parameters.items():
                value.copy_(self.average[key])
        for module in self.modules.values():
            module.eval()

    def save(self) -> None:
        """Write parameters, average and optimiser moments; the old state is replaced only by a whole new one."""
        state: dict[str, Tensor] = {}
        for key, value in self.parameters.items():
            moments = self.optimizer.state.get(value, {})
            state[f"now/{key}"], state[f"average/{key}"] = value.detach(), self.average[key]
            for name in ("exp_avg", "exp_avg_sq", "step"):
                if name in moments:
                    state[f"{name}/{key}"] = moments[name]
        part = self.folder / "state.part"
        metadata = {"step": str(self.step), "seconds": str(self.seconds)}
        save_file({key: value.contiguous() for key, value in state.items()}, part, metadata=metadata)
        part.replace(self.folder / "state.safetensors")

    def resume(self) -> bool:
        """Go on from `folder`'s saved state, if there is one; tells whether there was."""
        from safetensors import safe_open

        path = self.folder / "state.safetensors"
        if not path.exists():
            return False
        state = load_file(path, device=str(self.device))
        with torch.no_grad():
            for key, value in self.parameters.items():
                value.copy_(state[f"now/{key}"])
                self.average[key].copy_(state[f"average/{key}"])
                if f"exp_avg/{key}" in state:
                    names = ("exp_avg", "exp_avg_sq", "step")
                    self.optimizer.state[value] = {name: state[f"{name}/{key}"] for name in names}
        with safe_open(path, framework="pt") as file:
            self.step, self.seconds = int(file.metadata()["step"]), float(file.metadata()["seconds"])
        return True

"""The training loop of every network here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch import Tensor, nn

from dataset_dm.errors import DivergedError
from dataset_dm.optimization.accelerator import own_accelerator
from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.interruptions import Interrupted, interruptions
from dataset_dm.optimization.randomness import seeded, step_seed
from dataset_dm.optimization.schedule import learning_rate_shares
from dataset_dm.optimization.state import Progress, TrainState
from dataset_dm.optimization.weights import Weights, moving_average, parameter_groups

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One training: AdamW on the trainable parameters of some modules, in place, on the device where they are.

    Everything random in a step follows from its number: `batch_at` is asked by index and the loss gets a generator
    seeded by it, as torch's global generators are within the loss (dropout). So a training that was interrupted and
    resumed takes the same steps as one that was not, to the same bytes; and the caller's global generators are never
    changed.

    Args:
        modules: name → module, on one device; parameters that need no gradient stay as they are.
        config: settings.
        batch_at: index of a micro-batch (0 …) → the batch. Step s has the micro-batches s · accumulate … (times the
            processes of `accelerate launch`).
        loss: (batch, generator) → {"loss": scalar to minimise, further scalars to show}; runs under autocast when the
            precision is not fp32.
        evaluate: called every `evaluate_every` steps with the averaged weights in place and the modules in eval mode;
            returns figures, of which "score" (the higher the better) chooses the weights that are kept. None: the last.
        groups: parameter groups of AdamW; a group may have its own "lr". None: `parameter_groups`.
        folder: of the saved state; None saves none.
        key: what else decides the weights, JSON-ready; a state with another key is not resumed.
        on_step: called after every step.
        on_report: called after every evaluation (also without `evaluate`) with the progress, whose last history entry
            has the mean loss parts and the figures, and the seconds a step takes.
    """

    modules: Mapping[str, nn.Module]
    config: LoopConfig
    batch_at: Callable[[int], Any]
    loss: Callable[[Any, torch.Generator], Mapping[str, Tensor]]
    evaluate: Callable[[], Mapping[str, float]] | None = None
    groups: Iterable[dict[str, Any]] | None = None
    folder: Path | None = None
    key: Mapping[str, Any] = field(default_factory=dict)
    on_step: Callable[[Progress], None] = lambda progress: None
    on_report: Callable[[Progress, float], None] = lambda progress, pace: None

    def run(self, *, resume: bool = False, stop_at: int | None = None) -> Progress:
        """Trains to the end, to step `stop_at` or to an early stop.

        Leaves the best weights in the modules, or the average (the present weights without one) if nothing was
        evaluated, and the modules in eval mode.

        Args:
            resume: go on from the state in `folder`.

        Raises:
            ConfigError: there is no such state, or it belongs to another training.
            DivergedError: loss or gradients are not finite; modules and saved state are those of the step before.
            Interrupted: Ctrl-C; the step was finished and the state saved.
        """
        running = _Running(self)
        if resume:
            assert self.folder is not None, "resume needs a folder"
            running.state.load(self.folder, self.key)
        running.train(stop_at)
        state = running.state
        state.weights.load(state.averaged() if state.best is None else state.best)
        _mode(self.modules, training=False)
        return state.progress


class _Running:
    """What changes while a loop runs."""

    def __init__(self, loop: Loop) -> None:
        config = loop.config
        self.loop, self.config = loop, config
        weights = Weights(loop.modules)
        self.device = next(weights.parameters()).device
        groups = parameter_groups(loop.modules, config.weight_decay) if loop.groups is None else loop.groups
        optimizer = torch.optim.AdamW(
            [{"lr": config.learning_rate, **group} for group in groups],
            betas=(0.9, config.beta2),
            weight_decay=config.weight_decay,
            fused=self.device.type == "cuda" or None,
        )
        self.rates = [group["lr"] for group in optimizer.param_groups]
        self.share_at = learning_rate_shares(config)
        self.accelerator: Accelerator
        self.optimizer: AcceleratedOptimizer
        self.accelerator, self.optimizer = own_accelerator(optimizer, self.device, config.precision, config.accumulate)
        ema = moving_average(weights, config.ema_decay) if config.ema_decay else None
        self.state = TrainState(weights, ema, optimizer, self.accelerator.scaler)

    def train(self, stop_at: int | None) -> None:
        progress, config = self.state.progress, self.config
        began, first = time.monotonic() - progress.seconds, progress.step
        start = time.monotonic()
        _mode(self.loop.modules, training=True)
        with interruptions() if self.loop.folder is not None else nullcontext(lambda: False) as interrupted:
            while not self._finished() and progress.step != stop_at:
                self._step()
                progress.seconds = time.monotonic() - began
                self.loop.on_step(progress)
                evaluated = self._is_due(config.evaluate_every)
                if evaluated:
                    self._evaluate((time.monotonic() - start) / (progress.step - first))
                if evaluated if not config.save_every else self._is_due(config.save_every):
                    self._save()
                if interrupted():
                    self._save()
                    raise Interrupted(progress.step)
        self._save()

    def _finished(self) -> bool:
        progress, config = self.state.progress, self.config
        if 0 < config.early_stop_evals <= progress.evals_since_best:
            return True
        if config.seconds is not None:
            return progress.seconds >= config.seconds
        return progress.step >= config.steps

    def _is_due(self, every: int) -> bool:
        step = self.state.progress.step
        return every > 0 and (step % every == 0 or step == self.config.steps)

    def _position(self) -> float:
        """Step of the schedule: beyond the warm-up, a training by the clock is as far as its time is."""
        progress, config = self.state.progress, self.config
        if config.seconds is None or progress.step < config.warmup:
            return progress.step
        return config.warmup + (config.steps - config.warmup) * min(1.0, progress.seconds / config.seconds) - 1

    def _step(self) -> None:
        """One update of the weights and of their average."""
        config, state, progress = self.config, self.state, self.state.progress
        share = self.share_at(self._position())
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * share
        buffers = [value.clone() for value in state.weights.buffers()]
        self.optimizer.zero_grad()
        parts = [self._micro_batch(progress.step * config.accumulate + number) for number in range(config.accumulate)]
        parameters = list(state.weights.parameters())
        if self.accelerator.num_processes > 1:
            for value in parameters:
                gradient = torch.zeros_like(value) if value.grad is None else value.grad
                value.grad = self.accelerator.reduce(gradient, "mean")
        norm = self.accelerator.clip_grad_norm_(parameters, config.max_grad_norm)
        # one transfer from the device for all of them
        shown = torch.stack([norm.float(), *(sum(part[name] for part in parts) / len(parts) for name in parts[0])])
        norm_value, *values = shown.tolist()
        losses = dict(zip(parts[0], values, strict=True))
        # an overflow of scaled gradients is the scaler's to mend, which leaves out the step
        if not _finite(losses["loss"]) or not (_finite(norm_value) or self.accelerator.scaler is not None):
            for value, kept in zip(state.weights.buffers(), buffers, strict=True):
                value.copy_(kept)
            self._diverged(losses["loss"])
        self.optimizer.step()
        if state.ema is not None:
            state.ema.update_parameters(state.weights)
        progress.step += 1
        progress.sums = {name: progress.sums.get(name, 0.0) + value for name, value in losses.items()}

    def _micro_batch(self, index: int) -> dict[str, Tensor]:
        """Adds the gradients of one micro-batch; returns its loss parts."""
        accelerator, precision = self.accelerator, self.config.precision
        index = index * accelerator.num_processes + accelerator.process_index
        with accelerator.accumulate(), seeded(step_seed(self.config.seed, index), self.device) as generator:
            batch = self.loop.batch_at(index)
            with torch.autocast(self.device.type, _DTYPES.get(precision), enabled=precision != "fp32"):
                losses = self.loop.loss(batch, generator)
            accelerator.backward(losses["loss"])
        return {name: value.detach().float() for name, value in losses.items()}

    def _diverged(self, loss: float) -> None:
        self.optimizer.zero_grad()
        self._save()
        step = self.state.progress.step
        kept = "" if self.loop.folder is None else f"; the state after step {step} is kept in {self.loop.folder}"
        line = f"training: loss {loss} or its gradients are not finite in step {step + 1}{kept}"
        raise DivergedError(f"{line}; lower the learning rate (now {self.config.learning_rate:g}) or check the labels")

    def _evaluate(self, pace: float) -> None:
        """Adds an entry to the history, and keeps the averaged weights if their score is the best. `pace`: s a step."""
        state, progress = self.state, self.state.progress
        steps = progress.step - (progress.history[-1]["step"] if progress.history else 0)
        entry = {"step": progress.step, **{name: value / steps for name, value in progress.sums.items()}}
        progress.history.append(entry)
        progress.sums = {}
        if self.loop.evaluate is not None:
            averaged = state.averaged()
            _mode(self.loop.modules, training=False)
            with seeded(step_seed(self.config.seed, progress.step), self.device), state.weights.holding(averaged):
                entry |= self.loop.evaluate()
            _mode(self.loop.modules, training=True)
            recent = [past["score"] for past in progress.history[-self.config.score_window :]]
            score = sum(recent) / len(recent)
            if progress.best is None or score > progress.best:
                progress.best, progress.best_step, progress.evals_since_best = score, progress.step, 0
                state.best = {name: value.detach().clone() for name, value in averaged.items()}
            else:
                progress.evals_since_best += 1
        self.loop.on_report(progress, pace)

    def _save(self) -> None:
        if self.loop.folder is not None and self.accelerator.is_main_process:
            self.state.save(self.loop.folder, self.loop.key)


def _mode(modules: Mapping[str, nn.Module], *, training: bool) -> None:
    for module in modules.values():
        module.train(training)


def _finite(value: float) -> bool:
    return abs(value) < float("inf")

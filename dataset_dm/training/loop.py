"""The training loop: accelerate for devices and processes, cached features, exact resume."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from dataset_dm.decoder import PDecoder, decoder_loss
from dataset_dm.training.augment import stream
from dataset_dm.training.batches import fewer_classes, items_of
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore
from dataset_dm.training.state import Average, Progress, load_state, save_state
from dataset_dm.training.validation import SHOWN, measure

STATE_FOLDER = "state"
# Evaluations whose mean score chooses the weights: a hundred held-out images tell single steps apart by luck (two runs
# that differed in little had their best mIoU, 58 and 55, at steps 600 and 1000, and were alike on other images).
SMOOTH = 3


@dataclass
class Training:
    """One training of one decoder.

    Args:
        decoder: fresh, its scaling measured; trained in place.
        train, validation: features.
        config: settings.
        folder: where the state goes.
        key: what else decides the weights (generator, data); a resume under another key is refused.
        say: prints a line.
    """

    decoder: PDecoder
    train: FeatureStore
    validation: FeatureStore
    config: TrainConfig
    folder: Path
    key: Mapping[str, Any] = field(default_factory=dict)
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    def run(self, *, resume: bool = False, stop_at: int | None = None, cpu: bool = False) -> Progress:
        """Trains to the last step, to ``stop_at`` or to an early end; leaves the best average in ``decoder``.

        Ctrl-C lets the step end and saves the state before it goes on its way.
        """
        accelerator = Accelerator(cpu=cpu)
        optimiser = torch.optim.AdamW(parameter_groups(self.decoder, self.config.weight_decay), lr=1.0)
        model, optimiser = accelerator.prepare(self.decoder, optimiser)
        plain = accelerator.unwrap_model(model)
        average, progress = Average(plain), Progress()
        best = {name: value.clone() for name, value in average.weights.items()}
        if resume:
            progress, best = load_state(self.folder / STATE_FOLDER, self.key, plain, average, optimiser.optimizer)
            self.say(f"going on after step {progress.step} of {self.config.steps}")
        last = min(self.config.steps, stop_at or self.config.steps)
        began, first = time.monotonic(), progress.step

        def save() -> None:
            if accelerator.is_main_process:
                state = self.folder / STATE_FOLDER
                save_state(state, progress, self.key, plain, average, best, optimiser.optimizer)

        with interruptions() as interrupted:
            while progress.step < last and not self._enough(progress):
                losses = self._step(accelerator, model, optimiser, progress.step)
                average.update(plain, self.config.decay(progress.step))
                progress.step += 1
                progress.sums = {name: progress.sums.get(name, 0.0) + value for name, value in losses.items()}
                if progress.step % self.config.evaluate_every == 0 or progress.step == self.config.steps:
                    pace = (time.monotonic() - began) / (progress.step - first)
                    best = self._evaluate(progress, average, best, pace)
                    save()
                if interrupted():
                    save()
                    self.say(f"stopped after step {progress.step}; the same command with --resume goes on from here")
                    raise KeyboardInterrupt
        save()
        plain.load_state_dict(best if progress.best >= 0 else average.weights)
        plain.eval()
        return progress

    def _enough(self, progress: Progress) -> bool:
        return 0 < self.config.patience <= progress.bad

    def _step(self, accelerator: Accelerator, model: nn.Module, optimiser: Any, step: int) -> dict[str, float]:
        """One update; dropout and matching draw from a seed of the step's own."""
        config = self.config
        whole = config.batch * accelerator.num_processes
        items = items_of(step, whole, self.train.images, self.train.variants, config.seed)
        mine = items[accelerator.process_index * config.batch : (accelerator.process_index + 1) * config.batch]
        features, targets = self.train.batch(mine, accelerator.device)
        rng = stream("step", config.seed, step)
        features, targets, _ = fewer_classes(self.train.reworded(features, rng), targets, rng, config.fewer_classes)
        torch.manual_seed(int(rng.integers(2**62)) + accelerator.process_index)
        for group in optimiser.param_groups:
            group["lr"] = config.rate(step)
        model.train()
        losses = decoder_loss(model(features), targets, config.loss)
        optimiser.zero_grad()
        accelerator.backward(losses["loss"])
        accelerator.clip_grad_norm_(model.parameters(), config.clip)
        optimiser.step()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _evaluate(
        self, progress: Progress, average: Average, best: dict[str, Tensor], pace: float
    ) -> dict[str, Tensor]:
        """Measures the averaged weights on held-out images; returns the best so far. ``pace``: seconds a step."""
        shadow = PDecoder(self.decoder.config).to(next(self.decoder.parameters()).device)
        shadow.load_state_dict(average.weights)
        figures = measure(shadow, self.validation)
        steps = progress.step % self.config.evaluate_every or self.config.evaluate_every
        losses = {name: value / steps for name, value in progress.sums.items()}
        known = {name: value for name, value in vars(figures).items() if isinstance(value, float) and value == value}
        progress.history.append({"step": progress.step, **losses, **known, "score": figures.score})
        progress.sums = {}
        recent = [past["score"] for past in progress.history[-SMOOTH:]]
        score = sum(recent) / len(recent)
        if score > progress.best:
            progress.best, progress.best_step, progress.bad = score, progress.step, 0
            best = {name: value.clone() for name, value in average.weights.items()}
        else:
            progress.bad += 1
        minutes, seconds = divmod(int(pace * (self.config.steps - progress.step)), 60)
        shown = "  ".join(f"{title} {100 * known[name]:.1f}" for name, title in SHOWN.items() if name in known)
        self.say(
            f"step {progress.step}/{self.config.steps}  loss {losses['loss']:.3f}  held-out {shown}  "
            f"{1 / pace:.1f} steps/s  ETA {minutes}:{seconds:02d}"
        )
        return best


@contextmanager
def interruptions() -> Iterator[Callable[[], bool]]:
    """Within the block the first Ctrl-C is only noted, so that no step is broken off half-way; the second one strikes.

    Yields a function that says whether it came.
    """
    came: list[int] = []

    def note(number: int, frame: object) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may have handlers
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels; none for norms, biases, gates and whatever is called an embedding."""
    decayed = [p for name, p in model.named_parameters() if p.ndim >= 2 and "embed" not in name]
    chosen = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]

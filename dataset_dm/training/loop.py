"""Training one decoder on cached features."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from dataset_dm.decoder import LossConfig, PDecoder, Targets, decoder_loss
from dataset_dm.hypercolumns import Features
from dataset_dm.optimization.interruptions import Interrupted
from dataset_dm.optimization.loop import Loop
from dataset_dm.optimization.state import Progress
from dataset_dm.training.augment import stream
from dataset_dm.training.batches import fewer_classes, items_of
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import FeatureStore
from dataset_dm.training.validation import SHOWN, measure

STATE_FOLDER = "state"


@dataclass
class Training:
    """One training of one decoder.

    Args:
        decoder: fresh, its scaling measured, on the device to train on; trained in place.
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

    def run(self, *, resume: bool = False, stop_at: int | None = None) -> Progress:
        """Trains to the last step, to ``stop_at`` or to an early stop; leaves the best average in ``decoder``.

        Ctrl-C lets the step end and saves the state before KeyboardInterrupt is raised.
        """
        loop = Loop(
            modules={"decoder": self.decoder},
            config=self.config,
            batch_at=self._batch,
            loss=self._loss,
            evaluate=self._evaluate,
            folder=self.folder / STATE_FOLDER,
            key=self.key,
            on_report=self._report,
        )
        if resume:
            self.say(f"resuming the training in {self.folder}")
        try:
            return loop.run(resume=resume, stop_at=stop_at)
        except Interrupted as stop:
            self.say(f"stopped after step {stop.step}; the same command with --resume goes on from here")
            raise

    def _batch(self, index: int) -> tuple[Features, Targets]:
        """Features and truth, both for a list of classes of the batch's own."""
        config = self.config
        items = items_of(index, config.batch, self.train.images, self.train.variants, config.seed)
        features, targets = self.train.batch(items, next(self.decoder.parameters()).device)
        rng = stream("step", config.seed, index)
        features, targets, _ = fewer_classes(self.train.reworded(features, rng), targets, rng, config.fewer_classes)
        return features, targets

    def _loss(self, batch: tuple[Features, Targets], generator: torch.Generator) -> dict[str, torch.Tensor]:
        features, targets = batch
        return decoder_loss(self.decoder(features), targets, self.config.loss or LossConfig())

    def _evaluate(self) -> dict[str, float]:
        figures = measure(self.decoder, self.validation)
        known = {name: value for name, value in vars(figures).items() if isinstance(value, float) and value == value}
        return {**known, "score": figures.score}

    def _report(self, progress: Progress, pace: float) -> None:
        entry = progress.history[-1]
        minutes, seconds = divmod(int(pace * (self.config.steps - progress.step)), 60)
        shown = "  ".join(f"{title} {100 * entry[name]:.1f}" for name, title in SHOWN.items() if name in entry)
        self.say(
            f"step {progress.step}/{self.config.steps}  loss {entry['loss']:.3f}  held-out {shown}  "
            f"{1 / pace:.1f} steps/s  ETA {minutes}:{seconds:02d}"
        )

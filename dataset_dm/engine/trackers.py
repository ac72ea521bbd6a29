"""Figures of a run for experiment trackers that accelerate knows (TensorBoard, W&B, MLflow …): `--track NAME`."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataset_dm.errors import ConfigError, MissingExtra, did_you_mean, explain

_PROJECT = "dataset_dm"


class Trackers(logging.Handler):
    """Passes on, after every shard: samples so far, samples a second, seconds a stage of this shard, what was dropped.

    Args:
        wanted: names of trackers, or trackers themselves (`accelerate.tracking.GeneralTracker`).
        folder: for trackers that write files.
        cpu: whether this process computes on the CPU; accelerate looks at devices once and for all.

    Raises ConfigError for an unknown tracker, MissingExtra for one whose package is not installed.
    """

    def __init__(self, wanted: Sequence[Any], folder: Path, *, cpu: bool = False) -> None:
        from accelerate import Accelerator

        _check(wanted)  # first: a handler that was begun is closed at exit
        super().__init__(logging.INFO)
        self._accelerator = Accelerator(cpu=cpu, log_with=list(wanted), project_dir=str(folder))
        self._started = False
        self._since = 0.0
        self._samples = 0
        self._dropped: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Of a begin and of shards; all else is passed over."""
        event, facts = getattr(record, "event", None), getattr(record, "facts", {})
        if event == "begun" and not self._started:
            self._started, self._since = True, time.monotonic()
            config = {name: value for name, value in facts.items() if isinstance(value, (str, int, float))}
            self._accelerator.init_trackers(_PROJECT, config=config)
        elif event == "shard" and self._started and facts["outcome"] == "made":
            self._samples += facts["samples"]
            self._dropped.update(facts.get("dropped", {}))
            self._accelerator.log(self._figures(facts), step=self._samples)

    def close(self) -> None:
        """Ends the trackers' runs."""
        if self._started:
            self._started = False
            self._accelerator.end_training()
        super().close()

    def _figures(self, facts: dict[str, Any]) -> dict[str, float]:
        spent = time.monotonic() - self._since
        return {
            "samples": self._samples,
            "samples_per_second": self._samples / max(spent, 1e-9),
            **{f"seconds/{stage}": value for stage, value in facts.get("seconds", {}).items()},
            **{f"dropped/{reason}": count for reason, count in self._dropped.items()},
        }


def _check(wanted: Sequence[Any]) -> None:
    """accelerate itself passes over what is not installed."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    there = [str(one) for one in get_available_trackers()]
    for name in wanted:
        if not isinstance(name, str):
            continue
        if name not in LOGGER_TYPE_TO_CLASS:
            known = list(LOGGER_TYPE_TO_CLASS)
            expected = f"one of {', '.join(known)}{did_you_mean(name, known)}"
            raise ConfigError(explain("tracker", got=name, expected=expected))
        if name not in there:
            raise MissingExtra(f"tracker {name!r}: its package is not installed; pip install {name}")

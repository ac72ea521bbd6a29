"""What labelling costs: generate + label + write, over the plain diffusers pipeline drawing the same images.

Both run in one process with the same model, prompts, seeds, steps and batch, in turns: a machine that slows down slows
both.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from dataset_dm.diffusion.loading import quiet
from dataset_dm.engine import Engine, Work
from dataset_dm.engine.progress import bar
from dataset_dm.files.home import VARIABLE
from dataset_dm.generation.session import Session
from dataset_dm.metrics.report import Table
from dataset_dm.plan.generation_plan import GenerationPlan

SPLIT = "train"


@dataclass
class Overhead:
    """Seconds a round: `plain[i]` and `ours[i]` drew the same shard."""

    images: int  # a round
    plain: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)  # of ours, all rounds: draw, read, label, encode, write

    def ratios(self) -> list[float]:
        """Ours over plain, a round."""
        return [ours / plain for ours, plain in zip(self.ours, self.plain, strict=True)]

    def figures(self) -> dict[str, float]:
        """The numbers that a report's figures hold; `ratio` is the sums' ratio."""
        drawn = self.images * len(self.ours)
        return {
            "ratio": sum(self.ours) / sum(self.plain),
            "ratio_median_of_rounds": statistics.median(self.ratios()),
            "plain_seconds_an_image": sum(self.plain) / drawn,
            "ours_seconds_an_image": sum(self.ours) / drawn,
        }

    def table(self) -> Table:
        """Seconds a round, side by side."""
        rows = [[i + 1, *row] for i, row in enumerate(zip(self.plain, self.ours, self.ratios(), strict=True))]
        return Table(f"seconds for {self.images} images", ["round", "plain", "ours", "ratio"], rows)

    def stage_table(self) -> Table:
        """Where our time goes, warm-up left out."""
        total = sum(self.stages.values()) or 1.0
        rows = [[name, seconds, seconds / total] for name, seconds in self.stages.items()]
        return Table("where ours goes", ["stage", "seconds", "share"], rows)


def measure(plan: GenerationPlan, rounds: int, device: str = "auto") -> Overhead:
    """Time `rounds` shards both ways after one unmeasured round; the shards go to a folder that is removed again."""
    overhead = Overhead(plan.shard_size)
    with own_store(), Engine(plan, device=device, overwrite=True) as engine, bar(rounds, "round", "rounds") as progress:
        _plain(plan, 0, device)
        make_shard(engine, 0)  # models are loaded, kernels chosen, caches warm
        before = dict(engine.seconds)
        for i in range(1, rounds + 1):
            first_plain = i % 2 == 1  # whoever comes second may find a warmer machine
            if first_plain:
                overhead.plain.append(_plain(plan, i, device))
            overhead.ours.append(make_shard(engine, i))
            if not first_plain:
                overhead.plain.append(_plain(plan, i, device))
            progress.update()
        overhead.stages = {name: t - before.get(name, 0.0) for name, t in engine.seconds.items()}
    return overhead


def make_shard(engine: Engine, shard: int) -> float:
    """Seconds that an engine takes to draw, label and write a shard."""
    started = time.perf_counter()
    engine.make(Work(SPLIT, shard, draw=True))
    _wait()
    return time.perf_counter() - started


def _plain(plan: GenerationPlan, shard: int, device: str) -> float:
    """The pipeline as its users call it: prompts and generators in, PIL images out."""
    pipe = Session(plan, device).backbone.pipe  # the engine's own: loaded once a process
    started = time.perf_counter()
    for indices in _batches(plan.shard_indices(shard), plan.batch_size):
        with quiet():
            pipe(
                prompt=[plan.prompt(SPLIT, i).text for i in indices],
                height=plan.size[0],
                width=plan.size[1],
                num_inference_steps=plan.steps,
                guidance_scale=plan.guidance,
                generator=[torch.Generator("cpu").manual_seed(plan.sample_seed(SPLIT, i)) for i in indices],
            )
    _wait()
    return time.perf_counter() - started


def _batches(indices: range, size: int) -> Iterator[Sequence[int]]:
    return (indices[start : start + size] for start in range(0, len(indices), size))


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@contextmanager
def own_store() -> Iterator[None]:
    """A store of its own for the duration, so that nothing is found there and nothing stays."""
    before = os.environ.get(VARIABLE)
    with tempfile.TemporaryDirectory(prefix="dataset_dm_speed_") as folder:
        os.environ[VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before

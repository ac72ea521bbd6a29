"""Time that labelling takes: over the plain diffusers pipeline, and all tasks over class maps alone.

Both sides run in one process with the same models, prompts, seeds, steps and batch, in turns, so that a machine that
slows down slows both.
"""

from __future__ import annotations

import argparse
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
from dataset_dm.evaluation.options import open_annotator, plan_of
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.files.home import VARIABLE
from dataset_dm.generation.session import Session
from dataset_dm.metrics.report import Report, Table
from dataset_dm.plan.generation_plan import GenerationPlan

SPLIT = "train"
DRAW = "draw"  # the stage that is the same for all tasks


def run(args: argparse.Namespace) -> Outcome:
    """Time the plan's shards."""
    more = {"sampler": None if args.steps is None else {"steps": args.steps}, "batch_size": args.batch_size}
    plan = plan_of(args, **more)
    if not args.tasks:
        return measure_speed(plan, args.rounds, args.device)
    many = plan_of(args, open_annotator(args).tasks, **more)
    return measure_task_cost(plan, many, args.rounds, args.device)


def measure_speed(plan: GenerationPlan, rounds: int, device: str) -> Outcome:
    """Generate + label + write over the plain pipeline."""
    result = time_overhead(plan, rounds, device)
    report = Report("speed", "", figures=result.figures(), tables=[result.table(), result.stage_table()])
    report.notes.append("Plain: the same pipeline object called as its users do, PIL images out, nothing written.")
    return Outcome(report)


def measure_task_cost(few: GenerationPlan, many: GenerationPlan, rounds: int, device: str) -> Outcome:
    """The same images generated and labelled twice: with the tasks of `few` and with those of `many`."""
    result = time_tasks(few, many, rounds, device)
    report = Report("speed of tasks", "", figures=result.figures(), tables=[result.table(), result.stage_table()])
    report.notes.append(
        "Both generate the same images, label and write them, in turns. extra_of_stages is the difference of the "
        "stages that tasks can change (all but draw) over the whole of the first: a noisy machine disturbs it less."
    )
    return Outcome(report)


@dataclass
class Overhead:
    """Seconds a round: `plain[i]` and `ours[i]` generated the same shard."""

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
        """Seconds of every stage of ours, warm-up left out."""
        total = sum(self.stages.values()) or 1.0
        rows = [[name, seconds, seconds / total] for name, seconds in self.stages.items()]
        return Table("where ours goes", ["stage", "seconds", "share"], rows)


def time_overhead(plan: GenerationPlan, rounds: int, device: str = "auto") -> Overhead:
    """Time `rounds` shards both ways after one unmeasured round; the shards go to a temporary folder."""
    overhead = Overhead(plan.shard_size)
    with own_store(), Engine(plan, device=device, overwrite=True) as engine, bar(rounds, "round", "rounds") as progress:
        _plain(plan, 0, device)
        make_shard(engine, 0)  # models are loaded, kernels chosen, caches warm
        before = dict(engine.seconds)
        for i in range(1, rounds + 1):
            first_plain = i % 2 == 1  # the second may find a warmer machine
            if first_plain:
                overhead.plain.append(_plain(plan, i, device))
            overhead.ours.append(make_shard(engine, i))
            if not first_plain:
                overhead.plain.append(_plain(plan, i, device))
            progress.update()
        overhead.stages = {name: t - before.get(name, 0.0) for name, t in engine.seconds.items()}
    return overhead


@dataclass
class TaskCost:
    """Seconds a round: `few[i]` and `many[i]` drew and labelled the same shard."""

    images: int  # a round
    few_tasks: tuple[str, ...]
    many_tasks: tuple[str, ...]
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    few_stages: dict[str, float] = field(default_factory=dict)  # stage → seconds, all rounds
    many_stages: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Seconds an image (medians of rounds) and the share that the further tasks add, computed in three ways."""
        few, many = statistics.median(self.few), statistics.median(self.many)
        after = [sum(s for name, s in stages.items() if name != DRAW) for stages in (self.few_stages, self.many_stages)]
        return {
            "few_seconds_an_image": few / self.images,
            "many_seconds_an_image": many / self.images,
            "extra": many / few - 1,
            "extra_median_of_rounds": statistics.median(b / a for a, b in zip(self.few, self.many, strict=True)) - 1,
            "extra_of_stages": (after[1] - after[0]) / sum(self.few),
        }

    def table(self) -> Table:
        """Seconds a round, side by side."""
        rows = [[i + 1, a, b, b / a] for i, (a, b) in enumerate(zip(self.few, self.many, strict=True))]
        columns = ["round", ", ".join(self.few_tasks), ", ".join(self.many_tasks), "ratio"]
        return Table(f"seconds for {self.images} images", columns, rows)

    def stage_table(self) -> Table:
        """Seconds of every stage, all rounds, warm-up left out."""
        stages = dict.fromkeys([*self.few_stages, *self.many_stages])
        rows = [[name, self.few_stages.get(name, 0.0), self.many_stages.get(name, 0.0)] for name in stages]
        return Table("seconds a stage", ["stage", ", ".join(self.few_tasks), ", ".join(self.many_tasks)], rows)


def time_tasks(few: GenerationPlan, many: GenerationPlan, rounds: int, device: str = "auto") -> TaskCost:
    """Time `rounds` shards of two plans that differ in their tasks alone, after one unmeasured round; the shards go to
    a temporary folder."""
    cost = TaskCost(few.shard_size, few.tasks, many.tasks)
    with own_store(), Engine(few, device=device, overwrite=True) as a, Engine(many, device=device, overwrite=True) as b:
        for engine in (a, b):
            make_shard(engine, 0)  # models are loaded, kernels chosen, caches warm
        before = [dict(engine.seconds) for engine in (a, b)]
        with bar(rounds, "round", "rounds") as progress:
            for i in range(1, rounds + 1):
                pair = [(a, cost.few), (b, cost.many)]
                for engine, seconds in pair if i % 2 else pair[::-1]:  # the second may find a warmer machine
                    seconds.append(make_shard(engine, i))
                progress.update()
        cost.few_stages, cost.many_stages = (
            {name: seconds - start.get(name, 0.0) for name, seconds in engine.seconds.items()}
            for engine, start in zip((a, b), before, strict=True)
        )
    return cost


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
    """Use an empty store that is removed afterwards."""
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

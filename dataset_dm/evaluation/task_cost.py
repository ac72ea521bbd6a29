"""What more tasks cost: generate + label + write with many tasks, over the same images with few.

Both run in one process with the same models, prompts and seeds, in turns: a machine that slows down slows both.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from dataset_dm.engine import Engine
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.overhead import make_shard, own_store
from dataset_dm.metrics.report import Table
from dataset_dm.plan.generation_plan import GenerationPlan

DRAW = "draw"  # the stage that no task changes


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
        """Seconds an image (medians of rounds) and the share that the further tasks add, measured in three ways."""
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
        """Where the time goes, all rounds, warm-up left out."""
        stages = dict.fromkeys([*self.few_stages, *self.many_stages])
        rows = [[name, self.few_stages.get(name, 0.0), self.many_stages.get(name, 0.0)] for name in stages]
        return Table("seconds a stage", ["stage", ", ".join(self.few_tasks), ", ".join(self.many_tasks)], rows)


def measure(few: GenerationPlan, many: GenerationPlan, rounds: int, device: str = "auto") -> TaskCost:
    """Time `rounds` shards of two plans that differ in their tasks alone, after one unmeasured round; the shards go to
    a folder that is removed again."""
    cost = TaskCost(few.shard_size, few.tasks, many.tasks)
    with own_store(), Engine(few, device=device, overwrite=True) as a, Engine(many, device=device, overwrite=True) as b:
        for engine in (a, b):
            make_shard(engine, 0)  # models are loaded, kernels chosen, caches warm
        before = [dict(engine.seconds) for engine in (a, b)]
        with bar(rounds, "round", "rounds") as progress:
            for i in range(1, rounds + 1):
                pair = [(a, cost.few), (b, cost.many)]
                for engine, seconds in pair if i % 2 else pair[::-1]:  # whoever comes second may find a warmer machine
                    seconds.append(make_shard(engine, i))
                progress.update()
        cost.few_stages, cost.many_stages = (
            {name: seconds - start.get(name, 0.0) for name, seconds in engine.seconds.items()}
            for engine, start in zip((a, b), before, strict=True)
        )
    return cost

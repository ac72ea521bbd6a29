"""What labelling costs: over the plain pipeline, and all tasks over class maps alone."""

from __future__ import annotations

from dataset_dm.evaluation import overhead, task_cost
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.metrics.report import Report
from dataset_dm.plan.generation_plan import GenerationPlan


def measure_speed(plan: GenerationPlan, rounds: int, device: str) -> Outcome:
    """Generate + label + write over the plain pipeline."""
    result = overhead.measure(plan, rounds, device)
    report = Report("speed", "", figures=result.figures(), tables=[result.table(), result.stage_table()])
    report.notes.append("Plain: the same pipeline object called as its users do, PIL images out, nothing written.")
    return Outcome(report)


def measure_task_cost(few: GenerationPlan, many: GenerationPlan, rounds: int, device: str) -> Outcome:
    """The same images generated and labelled twice: with the tasks of `few` and with those of `many`."""
    result = task_cost.measure(few, many, rounds, device)
    report = Report("speed of tasks", "", figures=result.figures(), tables=[result.table(), result.stage_table()])
    report.notes.append(
        "Both draw the same images anew, label and write them, in turns. extra_of_stages is the difference of the "
        "stages that tasks can change (all but draw) over the whole of the first: a noisy machine disturbs it less."
    )
    return Outcome(report)

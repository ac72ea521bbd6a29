"""Tasks: what can be read out of one generation. Everything that differs between tasks hangs on one TaskSpec."""

from __future__ import annotations

from dataclasses import dataclass

from dataset_dm.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A kind of label. `needs_classes`: the label speaks of classes given by their words."""

    name: str
    needs_classes: bool
    title: str


SEMANTIC = TaskSpec(name="semantic", needs_classes=True, title="class masks")
INSTANCE = TaskSpec(name="instance", needs_classes=True, title="instances and boxes")
DEPTH = TaskSpec(name="depth", needs_classes=False, title="metric depth")
POSE = TaskSpec(name="pose", needs_classes=False, title="human keypoints")

TASKS: dict[str, TaskSpec] = {task.name: task for task in (SEMANTIC, INSTANCE, DEPTH, POSE)}


def task(name: str) -> TaskSpec:
    """The task called `name`; ConfigError with a suggestion when there is none."""
    if name not in TASKS:
        raise ConfigError(f"unknown task {name!r}; expected one of {', '.join(TASKS)}{did_you_mean(name, TASKS)}")
    return TASKS[name]

"""Tasks: the kinds of labels. Everything that differs between tasks is a field of TaskSpec."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dataset_dm.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A kind of label.

    Args:
        name: as users give it.
        needs_classes: whether the label refers to classes given by their words.
        title: for people.
        columns: the columns of stored label rows that it fills; the others are filled whatever is read.
    """

    name: str
    needs_classes: bool
    title: str
    columns: tuple[str, ...]


_OBJECTS = ("objects", "annotation")

SEMANTIC = TaskSpec(name="semantic", needs_classes=True, title="class masks", columns=("label", "full"))
INSTANCE = TaskSpec(name="instance", needs_classes=True, title="instances and boxes", columns=_OBJECTS)
DEPTH = TaskSpec(name="depth", needs_classes=False, title="metric depth", columns=("depth", "depth_confidence"))
POSE = TaskSpec(name="pose", needs_classes=False, title="human keypoints", columns=_OBJECTS)

TASKS: dict[str, TaskSpec] = {task.name: task for task in (SEMANTIC, INSTANCE, DEPTH, POSE)}


def task(name: str) -> TaskSpec:
    """The task called `name`; ConfigError with a suggestion when there is none."""
    if name not in TASKS:
        raise ConfigError(f"unknown task {name!r}; expected one of {', '.join(TASKS)}{did_you_mean(name, TASKS)}")
    return TASKS[name]


def unfilled_columns(names: Collection[str]) -> set[str]:
    """The columns of label rows that none of these tasks fills: they would be null in every row."""
    filled = {column for name in names for column in TASKS[name].columns}
    return {column for one in TASKS.values() for column in one.columns} - filled

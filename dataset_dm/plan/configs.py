"""The sets that can be made: name → configs, each with its task, its columns and its default splits.

Builders and the command line read the same table, and neither needs the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean
from dataset_dm.labels.coco import COCO_CLASSES
from dataset_dm.labels.records import (
    all_features,
    depth_features,
    instance_features,
    keypoint_features,
    semantic_features,
)
from dataset_dm.labels.tasks import DEPTH, INSTANCE, POSE, SEMANTIC, TASKS, TaskSpec
from dataset_dm.labels.vocabulary import PERSON

Columns = Callable[[Sequence[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One config of one set.

    Args:
        dataset: name of the set, such as "voc_synth".
        config: name of the config, such as "semantic".
        tasks: the kinds of labels, in the order of `tasks.TASKS`.
        features: class names (without background) → the columns as plain dicts.
        splits: split → default number of rows.
        description: one sentence.
        classes: the default class names; None for those of the annotator.
        prompting: settings of the default prompts beyond the classes, see `prompts.Templates`.
    """

    dataset: str
    config: str
    tasks: tuple[TaskSpec, ...]
    features: Columns
    splits: Mapping[str, int]
    description: str
    classes: tuple[str, ...] | None = None
    prompting: Mapping[str, Any] = field(default_factory=dict)


# config → what it reads, its columns, and how its description ends
_CONFIGS: dict[str, tuple[tuple[TaskSpec, ...], Columns, str]] = {
    "semantic": ((SEMANTIC,), semantic_features, "a class mask: 0 background, 255 void."),
    "instance": ((INSTANCE,), instance_features, "objects: boxes, masks, scores."),
    "keypoints": ((INSTANCE, POSE), keypoint_features, "objects, people with 17 keypoints."),
    "depth": ((DEPTH,), depth_features, "depth in metres, float32."),
    "all": (tuple(TASKS.values()), all_features, "class mask, objects, keypoints and depth."),
    "zero_shot": ((SEMANTIC,), semantic_features, "a class mask by an annotator that never saw some of the classes."),
    "long_tail": (
        (SEMANTIC,),
        semantic_features,
        "a class mask by an annotator that saw most classes a few times only.",
    ),
}


def _recipes(
    dataset: str,
    subject: str,
    splits: Mapping[str, int],
    configs: Sequence[str],
    prompting: Mapping[str, Mapping[str, Any]] | None = None,
    classes: tuple[str, ...] | None = None,
) -> dict[str, Recipe]:
    """The configs of one set, the default first; `prompting` is by config."""
    recipes = {}
    for config in configs:
        tasks, features, labels = _CONFIGS[config]
        recipes[config] = Recipe(
            dataset=dataset,
            config=config,
            tasks=tasks,
            features=features,
            splits=splits,
            description=f"{subject} with {labels}",
            classes=classes,
            prompting=(prompting or {}).get(config, {}),
        )
    return recipes


_ROOMS = {"places": ("room",)}
_PEOPLE = {"always": PERSON}

CATALOGUE: dict[str, dict[str, Recipe]] = {
    "voc_synth": _recipes(
        "voc_synth",
        "Generated images in the manner of PASCAL VOC",
        {"train": 64},
        ("semantic", "instance", "all", "zero_shot", "long_tail"),
    ),
    "coco_synth": _recipes(
        "coco_synth",
        "Generated images in the manner of COCO",
        {"train": 64, "validation": 16, "test": 16},
        ("instance", "keypoints", "all"),
        {"keypoints": _PEOPLE},
        COCO_CLASSES,
    ),
    "nyu_synth": _recipes(
        "nyu_synth",
        "Generated indoor images in the manner of NYU Depth",
        {"train": 64},
        ("depth", "all"),
        {"depth": _ROOMS, "all": _ROOMS},
    ),
    "miniature": _recipes(
        "miniature",
        "Rendered scenes of the miniature world, every label exact,",
        {"train": 100, "validation": 100, "test": 100},
        ("semantic", "instance", "depth", "keypoints", "all"),
    ),
}


def recipe(dataset: str, config: str | None = None) -> Recipe:
    """The recipe of a set's config, of its default config when None; `dataset` may carry the prefix "dataset_dm/".

    Raises ConfigError with a suggestion for an unknown set or config.
    """
    name = dataset.removeprefix("dataset_dm/")
    if name not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise ConfigError(f"unknown dataset {dataset!r}; expected one of {known}{did_you_mean(name, CATALOGUE)}")
    configs = CATALOGUE[name]
    if config is None:
        return next(iter(configs.values()))
    if config not in configs:
        known = ", ".join(configs)
        raise ConfigError(f"{name}: unknown config {config!r}; expected one of {known}{did_you_mean(config, configs)}")
    return configs[config]

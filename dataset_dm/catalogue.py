"""The sets that can be made: name → configs, each with its task, its columns and its default splits.

Builders and the command line read the same table, and neither needs the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean
from dataset_dm.records import semantic_features
from dataset_dm.tasks import SEMANTIC, TaskSpec


@dataclass(frozen=True, slots=True)
class Recipe:
    """One config of one set.

    Args:
        dataset: name of the set, such as "voc_synth".
        config: name of the config, such as "semantic".
        task: what is read out of a generation.
        features: class names (without background) → the columns as plain dicts.
        splits: split → default number of rows.
        description: one sentence.
    """

    dataset: str
    config: str
    task: TaskSpec
    features: Callable[[Sequence[str]], dict[str, Any]]
    splits: Mapping[str, int]
    description: str


# the first config of a set is its default
_RECIPES = (
    Recipe(
        "voc_synth",
        "semantic",
        SEMANTIC,
        semantic_features,
        {"train": 64},
        "Generated images with a class mask, in the manner of PASCAL VOC: 0 background, 255 void.",
    ),
    Recipe(
        "miniature",
        "semantic",
        SEMANTIC,
        semantic_features,
        {"train": 100, "validation": 100, "test": 100},
        "Rendered scenes of the miniature world with exact class masks, in the columns of voc_synth.",
    ),
)

CATALOGUE: dict[str, dict[str, Recipe]] = {}
for _recipe in _RECIPES:
    CATALOGUE.setdefault(_recipe.dataset, {})[_recipe.config] = _recipe


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

"""Sets by annotators with few labels: `zero_shot` (some classes never seen), `long_tail` (most seen only a few times).

Both are plans like any other, with an annotator that is trained on demand. Nothing here needs torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from dataset_dm.arguments.declare import Spelling, checked, entries, python
from dataset_dm.arguments.table import MINIATURE
from dataset_dm.checks import check_keys
from dataset_dm.errors import ConfigError, explain
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.models.generators import find_generator
from dataset_dm.plan.configs import Recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.prompts import Appended, Templates
from dataset_dm.prompts.source import PromptSource
from dataset_dm.training.config import TrainConfig, renamed
from dataset_dm.training.on_demand import DecoderRecipe, LazyDecoder, register_lazy_decoder
from dataset_dm.training.scarce_arguments import LONG_TAIL, TABLES
from dataset_dm.training.subsets import checked_classes, quotas, tail_order

# the split of PASCAL VOC that zero-shot segmentation measures on (Xian et al., "Semantic Projection Network", 2019)
UNSEEN = ("pottedplant", "sheep", "sofa", "train", "tvmonitor")
TEMPER = 0.5  # prompts of a class ∝ (1 / its labelled images) to this power: the full inverse would draw little else
# settings of a training that a user may give; the others are fields of the recipe
TRAINING = tuple(
    entry.name
    for entry in fields(TrainConfig)
    if "check" in entry.metadata and entry.name not in ("tasks", "num_labelled", "seen", "long_tail", "seconds")
)


def resolve_config(chosen: Recipe, asked: Mapping[str, Any], spelling: Spelling = python) -> GenerationPlan:
    """The plan of any config: `asked` has the arguments of a plan and those of `TABLES`; None means the default.

    Raises ConfigError for an argument that this config does not have, and whatever `resolve` raises.
    """
    own = entries(TABLES[chosen.config]) if chosen.config in TABLES else {}
    further = {name for table in TABLES.values() for name in entries(table)}
    for name in sorted(further):
        if asked.get(name) is not None and name not in own:
            owners = " and ".join(config for config, table in TABLES.items() if name in entries(table))
            raise ConfigError(f"{chosen.dataset} {chosen.config}: {spelling(name)} is an argument of {owners}")
    plain = {name: value for name, value in asked.items() if name not in further}
    if chosen.config not in TABLES:
        return resolve_recipe(chosen, spelling=spelling, **plain)
    scarce = checked(TABLES[chosen.config], {name: asked.get(name) for name in own}, spelling)
    asked = {**plain, **scarce}
    plain["classes"] = VOC_CLASSES if plain.get("classes") is None else plain["classes"]
    if asked.get("annotator") is not None:
        plan = resolve_recipe(chosen, spelling=spelling, **plain)
        _settings(chosen, plan.classes, asked, spelling)  # checked though nothing is trained
    else:
        plan = _lazy(chosen, plain, asked, spelling)
    chose = asked.get("prompts") is not None or asked.get("class_mix") is not None
    wanted = chosen.config == LONG_TAIL and asked["rebalance"] and not chose
    return replace(plan, prompts=_weighted(plan.prompts, _shares(plan.classes, asked))) if wanted else plan


def _weighted(source: PromptSource, shares: Mapping[str, float]) -> PromptSource:
    """Templates that draw the classes by their shares, whether or not names are appended; any other source as it is."""
    if isinstance(source, Appended):
        return replace(source, source=_weighted(source.source, shares))
    return replace(source, weights=dict(shares)) if isinstance(source, Templates) else source


def _shares(classes: tuple[str, ...], asked: Mapping[str, Any]) -> dict[str, float]:
    """Class → share of the prompts, by the ranks that the classes have among all of the labelled images.

    All classes are known of Miniature and where `training` lists them. Of other data they are not known without
    reading it: there the classes of the plan are ranked among themselves, which is the same if they are all.
    """
    training = _training(asked["training"])
    known = VOC_CLASSES if asked["labelled"] == MINIATURE else training.get("classes", classes)
    ranked = known if set(classes) <= set(known) else classes
    weights = rare_first(ranked, asked["imbalance"], training.get("seed", 0))
    return {name: weights[name] for name in classes}


def rare_first(classes: Sequence[str], imbalance: float, seed: int = 0) -> dict[str, float]:
    """Class → share of the prompts, 1 for the head, imbalance^TEMPER for the tail: ∝ labelled images^-TEMPER."""
    order = tail_order(classes, seed)
    most = 10**6  # far above rounding: how many images there really are cancels out
    return {
        name: (most / quota) ** TEMPER for name, quota in zip(order, quotas(most, imbalance, len(order)), strict=True)
    }


def _lazy(chosen: Recipe, plain: Mapping[str, Any], asked: Mapping[str, Any], spelling: Spelling) -> GenerationPlan:
    """The plan with a decoder that is trained when first needed."""
    generator = find_generator(MINIATURE if plain.get("generator") is None else plain["generator"])
    # a first plan checks the classes before a recipe is written to disk
    draft = DecoderRecipe(
        generator=generator.reference,
        generator_hash=generator.fingerprint(),
        data=asked["labelled"],
        num_labelled=asked["num_labelled"],
        tasks=tuple(task.name for task in chosen.tasks),
        classes=VOC_CLASSES,
        training={},
    )
    plain = {**plain, "annotator": LazyDecoder("on demand", None, None, draft)}
    plan = resolve_recipe(chosen, spelling=spelling, **plain)
    recipe = replace(draft, classes=plan.classes, **_settings(chosen, plan.classes, asked, spelling))
    decoder = register_lazy_decoder(recipe)
    return replace(plan, annotator=decoder.name, annotator_hash=decoder.fingerprint())


def _settings(chosen: Recipe, classes: tuple[str, ...], asked: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    """The recipe's fields that this config's own arguments decide, checked."""
    training = _training(asked["training"])
    if chosen.config == LONG_TAIL:
        return {"long_tail": asked["imbalance"], "training": training}
    given, what = asked["unseen"], spelling("unseen")
    if given is None:
        given = [name for name in UNSEEN if name in classes]
        if not given:
            remedy = f"name classes of yours such as {spelling('unseen', list(classes[-1:]))}"
            raise ConfigError(explain(what, expected="at least one of the classes", remedy=remedy))
    unseen = checked_classes(what, given, classes)
    seen = tuple(name for name in classes if name not in unseen)
    if not seen:
        raise ConfigError(explain(what, got=list(unseen), expected="at least one class that is seen"))
    return {"seen": seen, "training": training}


def _training(given: object) -> dict[str, Any]:
    """Settings of a training, checked and JSON-ready, paths in full."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(explain("training", got=given, expected="a dict such as {'steps': 800}"))
    named = renamed(given, "training")
    check_keys("training", named, TRAINING)
    checks = {entry.name: entry.metadata["check"] for entry in fields(TrainConfig) if entry.name in TRAINING}
    written = {
        name: checks[name](f"training: {name}", value) for name, value in sorted(named.items()) if value is not None
    }
    try:
        json.dumps(written, allow_nan=False)
    except (TypeError, ValueError):
        raise ConfigError(explain("training", got=dict(given), expected="plain numbers, texts and dicts")) from None
    return written

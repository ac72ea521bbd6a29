"""Sets whose annotator saw little: `zero_shot` (some classes never seen) and `long_tail` (most seen only a few times).

Both are plans like any other, with an annotator that is trained on demand. Nothing here needs torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from dataset_dm.checks import check_bool, check_int, check_keys
from dataset_dm.errors import ConfigError, explain
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.models.generators import MINIATURE, find_generator
from dataset_dm.plan.configs import Recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import DEFAULTS, resolve_recipe
from dataset_dm.prompts import Appended, Templates
from dataset_dm.prompts.source import PromptSource
from dataset_dm.training.config import TrainConfig, check_source, renamed
from dataset_dm.training.on_demand import DecoderRecipe, LazyDecoder, register_lazy_decoder
from dataset_dm.training.subsets import checked_classes, quotas, tail_order

ZERO_SHOT, LONG_TAIL = "zero_shot", "long_tail"
# the split of PASCAL VOC that zero-shot segmentation measures on (Xian et al., "Semantic Projection Network", 2019)
UNSEEN = ("pottedplant", "sheep", "sofa", "train", "tvmonitor")
IMBALANCE = 10.0
TEMPER = 0.5  # prompts of a class ∝ (1 / its labelled images) to this power: the full inverse would draw little else
_LABELLED = ("labelled", "num_labelled", "training")
ARGUMENTS = {ZERO_SHOT: ("unseen", *_LABELLED), LONG_TAIL: ("imbalance", "rebalance", *_LABELLED)}
# settings of a training that a user may give; the others are fields of the recipe
TRAINING = tuple(
    entry.name
    for entry in fields(TrainConfig)
    if "check" in entry.metadata and entry.name not in ("tasks", "num_labelled", "seen", "long_tail", "seconds")
)


def resolve_config(chosen: Recipe, asked: Mapping[str, Any]) -> GenerationPlan:
    """The plan of any config: `asked` has the arguments of a plan and those of `ARGUMENTS`; None means the default.

    Raises ConfigError for an argument that this config does not have, and whatever `resolve` raises.
    """
    own = ARGUMENTS.get(chosen.config, ())
    further = {name for names in ARGUMENTS.values() for name in names}
    for name in sorted(further):
        if asked.get(name) is not None and name not in own:
            owners = " and ".join(config for config, names in ARGUMENTS.items() if name in names)
            raise ConfigError(f"{chosen.dataset} {chosen.config}: {name} is an argument of {owners}")
    plain = {name: value for name, value in asked.items() if name not in further}
    if chosen.config not in ARGUMENTS:
        return resolve_recipe(chosen, **plain)
    plain["classes"] = VOC_CLASSES if plain.get("classes") is None else plain["classes"]
    if asked.get("annotator") is not None:
        plan = resolve_recipe(chosen, **plain)
        _settings(chosen, plan.classes, asked)  # wrong arguments are wrong though nothing is trained
    else:
        plan = _lazy(chosen, plain, asked)
    chose = asked.get("prompts") is not None or asked.get("class_mix") is not None
    wanted = chosen.config == LONG_TAIL and asked.get("rebalance") is not False and not chose
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
    training = _training(asked.get("training"))
    known = VOC_CLASSES if _data(asked.get("labelled")) == MINIATURE else training.get("classes", classes)
    ranked = known if set(classes) <= set(known) else classes
    weights = rare_first(ranked, _imbalance(asked), training.get("seed", 0))
    return {name: weights[name] for name in classes}


def rare_first(classes: Sequence[str], imbalance: float, seed: int = 0) -> dict[str, float]:
    """Class → share of the prompts, 1 for the head, imbalance^TEMPER for the tail: ∝ labelled images^-TEMPER."""
    order = tail_order(classes, seed)
    most = 10**6  # far above rounding: how many images there really are cancels out
    return {
        name: (most / quota) ** TEMPER for name, quota in zip(order, quotas(most, imbalance, len(order)), strict=True)
    }


def _lazy(chosen: Recipe, plain: Mapping[str, Any], asked: Mapping[str, Any]) -> GenerationPlan:
    """The plan with a decoder that is trained when first needed."""
    generator = find_generator(DEFAULTS["generator"] if plain.get("generator") is None else plain["generator"])
    # the classes are checked by a plan of no consequence before a recipe is written down
    draft = DecoderRecipe(
        generator=generator.reference,
        generator_hash=generator.fingerprint(),
        data=_data(asked.get("labelled")),
        num_labelled=None if asked.get("num_labelled") is None else check_int("num_labelled", asked["num_labelled"], 1),
        tasks=tuple(task.name for task in chosen.tasks),
        classes=VOC_CLASSES,
        training={},
    )
    plan = resolve_recipe(chosen, **{**plain, "annotator": LazyDecoder("on demand", None, None, draft)})
    recipe = replace(draft, classes=plan.classes, **_settings(chosen, plan.classes, asked))
    decoder = register_lazy_decoder(recipe)
    return replace(plan, annotator=decoder.name, annotator_hash=decoder.fingerprint())


def _settings(chosen: Recipe, classes: tuple[str, ...], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's fields that this config's own arguments decide, checked."""
    training = _training(asked.get("training"))
    if chosen.config == LONG_TAIL:
        rebalance = asked.get("rebalance")
        if rebalance is not None:
            check_bool("rebalance", rebalance)
        return {"long_tail": _imbalance(asked), "training": training}
    given = asked.get("unseen")
    if given is None:
        given = [name for name in UNSEEN if name in classes]
        if not given:
            remedy = "name those of your classes that are not to be seen with unseen=[…]"
            raise ConfigError(explain("unseen", expected="at least one of the classes", remedy=remedy))
    unseen = checked_classes("unseen", given, classes)
    seen = tuple(name for name in classes if name not in unseen)
    if not seen:
        raise ConfigError(explain("unseen", got=list(unseen), expected="at least one class that is seen"))
    return {"seen": seen, "training": training}


def _imbalance(asked: Mapping[str, Any]) -> float:
    given = IMBALANCE if asked.get("imbalance") is None else asked["imbalance"]
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not is_number or not 1 <= given < math.inf:
        expected = "a number of at least 1: labelled images of the head per image of the tail"
        raise ConfigError(explain("imbalance", got=given, expected=expected))
    return float(given)


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


def _data(given: object) -> str:
    return MINIATURE if given is None else check_source("labelled", given)

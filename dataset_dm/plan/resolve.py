"""What a user asked for, checked and resolved to a plan: defaults filled in, models found, prompts read.

Needs neither torch nor diffusers, so that a finished set is read again at once.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.tasks import TASKS, TaskSpec
from dataset_dm.labels.vocabulary import WORDS
from dataset_dm.models.adapters import find_adapter
from dataset_dm.models.annotators import check_tasks, find_annotator
from dataset_dm.models.device import DTYPES
from dataset_dm.models.generators import MINIATURE, PipelineFacts, find_generator, pipeline_facts
from dataset_dm.plan.configs import Recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.prompts import resolve_classes, resolve_prompts
from dataset_dm.prompts import check_separable

SAMPLER_KEYS = ("steps", "guidance", "scheduler")
_NO_GUIDANCE = "none"
_SHARD_SIZE = 16  # at least; mosaics need a multiple of their tiles
_MOST_TILES = 8  # rows and columns of a mosaic
# pixels of one batch by default: 16 small pictures, 4 of 512 x 512, one of 1024 x 1024
_BATCH_PIXELS = 2**20
_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
# the count of a split without an end, which only a stream can have: `num_images=None`
ENDLESS = math.inf
# what a plan can be asked for, with its defaults
DEFAULTS: dict[str, Any] = {
    "generator": MINIATURE,
    "annotator": MINIATURE,
    "adapter": None,
    "prompts": None,
    "append_classes": False,
    "class_mix": None,
    "classes": None,
    "sampler": None,
    "size": None,
    "seed": 0,
    "dtype": "float32",
    "batch_size": None,
    "shard_size": None,
    "splice": None,
}


def resolve(
    tasks: TaskSpec | Sequence[TaskSpec],
    *,
    label_space: tuple[str, ...] | None = None,
    prompting: Mapping[str, Any] | None = None,
    **asked: Any,
) -> GenerationPlan:
    """The plan of a request; the keys of `asked` are those of `DEFAULTS`, None means the default.

    Args:
        tasks: what is to be read, one kind of label or several.
        label_space: the classes when `asked` gives none; by default those that the annotator was trained on.
        prompting: what the default prompts are told beyond the classes, see `prompts.Templates`.

    Raises ConfigError, PromptError or ModelError, each with one line: what, got, expected, remedy.
    """
    for key in asked:
        if key not in DEFAULTS:
            raise ConfigError(
                f"unknown argument {key!r}; expected one of {', '.join(DEFAULTS)}{did_you_mean(key, DEFAULTS)}"
            )
    given = {key: default if asked.get(key) is None else asked[key] for key, default in DEFAULTS.items()}
    generator = find_generator(given["generator"])
    annotator = find_annotator(given["annotator"], generator)
    facts = pipeline_facts(generator)
    adapter = None if given["adapter"] is None else find_adapter(given["adapter"])
    # a labeller of depth alone knows no classes, but prompts speak of some
    classes = resolve_classes(given["classes"], label_space or annotator.classes or tuple(WORDS), generator)
    wanted = {task.name for task in ((tasks,) if isinstance(tasks, TaskSpec) else tasks)}
    names = tuple(name for name in TASKS if name in wanted)
    check_tasks(names, annotator, classes)
    size = _size(given["size"], facts)
    splice = _splice(given["splice"], size)
    shard_size = _shard_size(given["shard_size"], splice)
    how = {name: given[name] for name in ("append_classes", "class_mix")}
    prompts = resolve_prompts(given["prompts"], classes, generator, prompting or {}, **how)
    if splice is not None:
        check_separable(prompts)
    return GenerationPlan(
        tasks=names,
        seed=whole("seed", given["seed"], 0),
        prompts=prompts,
        generator=generator.name,
        generator_revision=generator.revision,
        generator_hash=generator.fingerprint(),
        adapter=None if adapter is None else adapter.reference,
        adapter_hash=None if adapter is None else adapter.fingerprint(),
        **_sampler(given["sampler"], facts),
        size=size,
        dtype=_one_of("dtype", given["dtype"], DTYPES),
        batch_size=_batch_size(given["batch_size"], shard_size, size),
        shard_size=shard_size,
        annotator=annotator.name,
        annotator_revision=annotator.revision,
        annotator_hash=annotator.hash,
        classes=classes,
        splice=splice,
    )


def resolve_recipe(chosen: Recipe, **asked: Any) -> GenerationPlan:
    """The plan of one config of a set; see `resolve`."""
    return resolve(chosen.tasks, label_space=chosen.classes, prompting=chosen.prompting, **asked)


def resolve_splits(num_images: object, splits: object, default: Mapping[str, int]) -> dict[str, int | float]:
    """Split → count. `num_images=N` replaces the count of train; `splits` replaces everything; not both.

    Args:
        num_images: a count; None when it was not given; ENDLESS for a stream without an end.
        splits: split → count; None as a count is ENDLESS.
        default: what there is when neither is given.
    """
    if num_images is not None and splits is not None:
        raise ConfigError("num_images and splits were both given; num_images=N means splits={'train': N}, give one")
    if splits is None:
        return dict(default) if num_images is None else {**default, "train": _count("num_images", num_images)}
    if not isinstance(splits, Mapping) or not splits:
        expected = "split names with counts such as {'train': 1000, 'validation': 100}"
        raise ConfigError(explain("splits", got=splits, expected=expected))
    for name in splits:
        if not isinstance(name, str) or not _SPLIT_NAME.fullmatch(name) or name == "all":
            expected = "letters, digits and _ such as 'train' (and not 'all')"
            raise ConfigError(explain("splits: name", got=name, expected=expected))
    return {name: _count(f"splits[{name!r}]", ENDLESS if count is None else count) for name, count in splits.items()}


def _count(what: str, value: object) -> int | float:
    return ENDLESS if value == ENDLESS else whole(what, value, 1)


def whole(what: str, value: object, least: int) -> int:
    """A whole number of at least `least`; ConfigError for anything else, True and "5" included."""
    expected = f"a whole number of at least {least}"
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least:
        raise ConfigError(
            explain(what, got=value, expected=expected, remedy=f"pass for example {what}={max(least, 64)}")
        )
    return number


def _sampler(given: object, facts: PipelineFacts) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(explain("sampler", got=given, expected="a dict such as {'steps': 30, 'guidance': 7.5}"))
    for key in given or ():
        if key not in SAMPLER_KEYS:
            known = ", ".join(SAMPLER_KEYS)
            raise ConfigError(f"sampler: unknown key {key!r}; expected {known}{did_you_mean(str(key), SAMPLER_KEYS)}")
    chosen = {**facts.sampler, **(given or {})}
    guidance = chosen["guidance"]
    if isinstance(guidance, str) and guidance.strip().lower() == _NO_GUIDANCE:
        guidance = None
    if guidance is not None:
        is_number = isinstance(guidance, (int, float)) and not isinstance(guidance, bool)
        if not is_number or not 0 <= guidance < math.inf:
            raise ConfigError(explain("sampler: guidance", got=guidance, expected="a number of at least 0, or None"))
    scheduler = chosen.get("scheduler")
    if scheduler is None:  # the pipeline's own, by name: naming it must not make another set
        scheduler = facts.scheduler
    elif not isinstance(scheduler, str):
        raise ConfigError(explain("sampler: scheduler", got=scheduler, expected="a scheduler's class name"))
    steps = whole("sampler: steps", chosen["steps"], 1)
    return {"steps": steps, "guidance": None if guidance is None else float(guidance), "scheduler": scheduler}


def _size(given: object, facts: PipelineFacts) -> tuple[int, int]:
    """(H, W) in pixels, the generator's own by default."""
    multiple, native = facts.size_multiple, facts.native_size
    if given is None:
        return native
    pair = tuple(given.lower().split("x")) if isinstance(given, str) else given
    if isinstance(pair, Sequence) and len(pair) == 2 and all(str(side).strip().isdecimal() for side in pair):
        height, width = (int(side) for side in pair)
        if min(height, width) > 0 and height % multiple == width % multiple == 0:
            return height, width
    expected = f"(height, width) in multiples of {multiple} such as {native}"
    raise ConfigError(explain("size", got=given, expected=expected))


def _splice(given: object, size: tuple[int, int]) -> tuple[int, int] | None:
    """(rows, columns) of a mosaic; None for none, which 1 x 1 is too."""
    if given is None:
        return None
    pair = given.lower().split("x") if isinstance(given, str) else given
    if isinstance(pair, Sequence) and len(pair) == 2 and all(str(side).strip().isdecimal() for side in pair):
        rows, columns = (int(side) for side in pair)
        if 1 <= rows <= min(_MOST_TILES, size[0]) and 1 <= columns <= min(_MOST_TILES, size[1]):
            return None if (rows, columns) == (1, 1) else (rows, columns)
    expected = f"(rows, columns) of tiles, each 1 to {_MOST_TILES}, such as (2, 2) or '2x2'"
    raise ConfigError(explain("splice", got=given, expected=expected))


def _shard_size(given: object, splice: tuple[int, int] | None) -> int:
    """Samples a shard: a multiple of the tiles, so that no mosaic lies across two shards."""
    tiles = 1 if splice is None else splice[0] * splice[1]
    if given is None:
        return math.ceil(_SHARD_SIZE / tiles) * tiles
    shard_size = whole("shard_size", given, 1)
    if shard_size % tiles:
        raise ConfigError(explain("shard_size", got=shard_size, expected=f"a multiple of the {tiles} tiles of splice"))
    return shard_size


def _batch_size(given: object, shard_size: int, size: tuple[int, int]) -> int:
    if given is not None:
        batch = whole("batch_size", given, 1)
        if shard_size % batch:
            expected = f"a divisor of shard_size={shard_size}"
            raise ConfigError(explain("batch_size", got=batch, expected=expected, remedy="or change shard_size too"))
        return batch
    most = max(1, min(16, _BATCH_PIXELS // (size[0] * size[1])))
    return max(batch for batch in range(1, most + 1) if shard_size % batch == 0)


def _one_of(what: str, value: object, options: Sequence[str]) -> str:
    if value not in options:
        raise ConfigError(explain(what, got=value, expected=" or ".join(options)) + did_you_mean(str(value), options))
    return str(value)

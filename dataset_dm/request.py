"""What a user asked for, checked and resolved to a plan: defaults filled in, models found, prompts read.

Needs neither torch nor diffusers, so that a finished set is read again at once.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataset_dm.errors import (
    AnnotatorMismatch,
    ConfigError,
    ModelError,
    PromptError,
    did_you_mean,
    explain,
)
from dataset_dm.generators import MINIATURE, default_sampler, find_generator, model_name, native_size
from dataset_dm.miniature import locate
from dataset_dm.miniature.world import WORDS
from dataset_dm.plan import GenerationPlan, PromptSource
from dataset_dm.prompts import Lines, Templates, find_classes, read_prompts, source_from_dict
from dataset_dm.records import BACKGROUND
from dataset_dm.sources import Source, find
from dataset_dm.tasks import TaskSpec

DTYPES = ("float32", "float16", "bfloat16")
SAMPLER_KEYS = ("steps", "guidance", "scheduler")
_NO_GUIDANCE = "none"
_SHARD_SIZE = 16
# pixels of one batch by default: 16 small pictures, 4 of 512 x 512, one of 1024 x 1024
_BATCH_PIXELS = 2**20
_MOST_CLASSES = 254  # a label is one byte: 0 is background, 255 void
_SPLIT_NAME = re.compile(r"^[A-Za-z0-9_]+$")
# what a plan can be asked for, with its defaults
DEFAULTS: dict[str, Any] = {
    "generator": MINIATURE,
    "annotator": MINIATURE,
    "adapter": None,
    "prompts": None,
    "classes": None,
    "sampler": None,
    "size": None,
    "seed": 0,
    "dtype": "float32",
    "batch_size": None,
    "shard_size": _SHARD_SIZE,
}


def resolve(task: TaskSpec, **asked: Any) -> GenerationPlan:
    """The plan of a request; the keys of `asked` are those of `DEFAULTS`, None means the default.

    Raises ConfigError, PromptError or ModelError, each with one line: what, got, expected, remedy.
    """
    for key in asked:
        if key not in DEFAULTS:
            raise ConfigError(
                f"unknown argument {key!r}; expected one of {', '.join(DEFAULTS)}{did_you_mean(key, DEFAULTS)}"
            )
    given = {key: default if asked.get(key) is None else asked[key] for key, default in DEFAULTS.items()}
    generator = find_generator(given["generator"])
    annotator, known_classes = _find_annotator(given["annotator"], generator)
    adapter = _find_adapter(given["adapter"])
    classes = _classes(given["classes"], known_classes, generator)
    size = _size(given["size"], generator)
    shard_size = whole("shard_size", given["shard_size"], 1)
    return GenerationPlan(
        task=task.name,
        seed=whole("seed", given["seed"], 0),
        prompts=_prompts(given["prompts"], classes),
        generator=generator.name,
        generator_revision=generator.revision,
        generator_hash=generator.fingerprint(),
        adapter=None if adapter is None else adapter.reference,
        adapter_hash=None if adapter is None else adapter.fingerprint(),
        **_sampler(given["sampler"], generator),
        size=size,
        dtype=_one_of("dtype", given["dtype"], DTYPES),
        batch_size=_batch_size(given["batch_size"], shard_size, size),
        shard_size=shard_size,
        annotator=annotator.name,
        annotator_revision=annotator.revision,
        annotator_hash=annotator.fingerprint(),
        classes=classes,
    )


def plan_from_dict(plain: Mapping[str, Any]) -> GenerationPlan:
    """The inverse of `GenerationPlan.to_dict`; nothing is looked up again."""
    height, width = plain["size"]
    read = {"prompts": source_from_dict(plain["prompts"]), "size": (height, width), "classes": tuple(plain["classes"])}
    return GenerationPlan(**{**plain, **read})


def resolve_splits(num_images: object, splits: object, default: Mapping[str, int]) -> dict[str, int]:
    """Split → count. `num_images=N` replaces the count of train; `splits` replaces everything; not both."""
    if num_images is not None and splits is not None:
        raise ConfigError("num_images and splits were both given; num_images=N means splits={'train': N}, give one")
    if splits is None:
        return dict(default) if num_images is None else {**default, "train": whole("num_images", num_images, 1)}
    if not isinstance(splits, Mapping) or not splits:
        expected = "split names with counts such as {'train': 1000, 'validation': 100}"
        raise ConfigError(explain("splits", got=splits, expected=expected))
    for name in splits:
        if not isinstance(name, str) or not _SPLIT_NAME.match(name) or name == "all":
            expected = "letters, digits and _ such as 'train' (and not 'all')"
            raise ConfigError(explain("splits: name", got=name, expected=expected))
    return {name: whole(f"splits[{name!r}]", count, 1) for name, count in splits.items()}


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


def _find_annotator(given: object, generator: Source) -> tuple[Source, tuple[str, ...]]:
    """The labeller and the classes it was trained on; AnnotatorMismatch when it was trained for another generator."""
    known = {MINIATURE: Path(locate(MINIATURE, "decoder"))}
    source = find(model_name("annotator", given), what="annotator", known=known)
    config = source.read_json("config.json")
    config = config if isinstance(config, dict) else {}
    classes, spec = config.get("classes"), config.get("spec")
    if not isinstance(classes, list) or not isinstance(spec, dict):
        expected = "a decoder folder written by `dataset-dm train` (config.json and model.safetensors)"
        raise ModelError(explain("annotator", got=given, expected=expected))
    trained_for = spec.get("generator")
    if generator.path is not None and trained_for not in (None, generator.fingerprint()):
        what = f"annotator {source.name!r}: it was trained for the generator with hash {trained_for}"
        remedy = "take that generator, or train a decoder for this one: dataset-dm train --generator … --out decoder/"
        got = f"{generator.name} with hash {generator.fingerprint()}"
        raise AnnotatorMismatch(explain(what, got=got, remedy=remedy))
    return source, tuple(classes)


def _find_adapter(given: object) -> Source | None:
    return None if given is None else find(model_name("adapter", given), what="adapter", known={})


def _classes(given: object, trained: tuple[str, ...], generator: Source) -> tuple[str, ...]:
    if given is None:
        return trained
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not given or not all(isinstance(name, str) and name.strip() for name in given):
        raise ConfigError(explain("classes", got=given, expected="a list of class names such as ['dog', 'chair']"))
    classes = tuple(name.strip() for name in given)
    for position, name in enumerate(classes):
        if name in classes[:position]:
            raise ConfigError(explain("classes", got=name, expected="every name once"))
        if name.lower() == BACKGROUND:
            raise ConfigError(explain("classes", got=name, expected="names without background, which is always id 0"))
        if generator.name == MINIATURE:
            _check_drawable(name)
    if len(classes) > _MOST_CLASSES:
        raise ConfigError(explain("classes", got=f"{len(classes)} names", expected=f"at most {_MOST_CLASSES}"))
    return classes


def _check_drawable(name: str) -> None:
    """The embedded generator has seen a small world: asking it for anything else would yield labels of nothing."""
    if not find_classes(name, tuple(WORDS)):
        words = [word for entry in WORDS.values() for word in entry.singular]
        known = ", ".join(WORDS)
        raise ConfigError(
            f"classes: unknown class {name!r}; the miniature generator draws {known}"
            + (did_you_mean(name, [*WORDS, *words]) or "; give another generator= for other classes")
        )


def _prompts(given: object, classes: tuple[str, ...]) -> PromptSource:
    if given is None:
        return Templates(classes)
    if isinstance(given, (Lines, Templates)):
        return given
    one_shot = isinstance(given, (Iterator, Mapping, bytes))  # a plan is made more than once, a dict is one prompt
    if one_shot or not isinstance(given, (str, Path, Iterable)):
        raise ConfigError(explain("prompts", got=given, expected="a file of prompts or a list of texts"))
    lines = read_prompts(given)
    for line in lines.prompts:
        for name in line.classes or ():
            if name not in classes:
                what = f"prompt {line.text!r}: unknown class {name!r}, expected one of {', '.join(classes)}"
                raise PromptError(what + (did_you_mean(name, classes) or "; add it to classes="))
    return lines


def _sampler(given: object, generator: Source) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(explain("sampler", got=given, expected="a dict such as {'steps': 30, 'guidance': 7.5}"))
    for key in given or ():
        if key not in SAMPLER_KEYS:
            known = ", ".join(SAMPLER_KEYS)
            raise ConfigError(f"sampler: unknown key {key!r}; expected {known}{did_you_mean(str(key), SAMPLER_KEYS)}")
    own_scheduler = (generator.read_json("scheduler/scheduler_config.json") or {}).get("_class_name")
    chosen = {**default_sampler(generator, own_scheduler), **(given or {})}
    guidance = None if chosen["guidance"] == _NO_GUIDANCE else chosen["guidance"]
    if guidance is not None:
        is_number = isinstance(guidance, (int, float)) and not isinstance(guidance, bool)
        if not is_number or not 0 <= guidance < math.inf:
            raise ConfigError(explain("sampler: guidance", got=guidance, expected="a number of at least 0, or None"))
    scheduler = chosen.get("scheduler")
    if scheduler is None:  # the pipeline's own, by name: naming it must not make another set
        scheduler = own_scheduler
    elif not isinstance(scheduler, str):
        raise ConfigError(explain("sampler: scheduler", got=scheduler, expected="a scheduler's class name"))
    steps = whole("sampler: steps", chosen["steps"], 1)
    return {"steps": steps, "guidance": None if guidance is None else float(guidance), "scheduler": scheduler}


def _size(given: object, generator: Source) -> tuple[int, int]:
    """(H, W) in pixels, the generator's own by default."""
    multiple, native = native_size(generator)
    if given is None:
        return native
    pair = tuple(given.lower().split("x")) if isinstance(given, str) else given
    if isinstance(pair, Sequence) and len(pair) == 2 and all(str(side).strip().isdecimal() for side in pair):
        height, width = (int(side) for side in pair)
        if min(height, width) > 0 and height % multiple == width % multiple == 0:
            return height, width
    expected = f"(height, width) in multiples of {multiple} such as {native}"
    raise ConfigError(explain("size", got=given, expected=expected))


def _batch_size(given: object, shard_size: int, size: tuple[int, int]) -> int:
    if given is not None:
        batch = whole("batch_size", given, 1)
        if shard_size % batch:
            expected = f"a divisor of shard_size={shard_size}"
            raise ConfigError(explain("batch_size", got=batch, expected=expected, remedy="or change shard_size too"))
        return batch
    wanted = max(1, min(16, _BATCH_PIXELS // (size[0] * size[1])))
    return math.gcd(shard_size, 2 ** int(math.log2(wanted)))


def _one_of(what: str, value: object, options: Sequence[str]) -> str:
    if value not in options:
        raise ConfigError(explain(what, got=value, expected=" or ".join(options)) + did_you_mean(str(value), options))
    return str(value)

"""What a user asked for, checked and resolved to a plan: defaults filled in, models found, prompts read.

Needs neither torch nor diffusers, so that a finished set is read again at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dataset_dm.arguments.declare import Spelling, checked, entries, python
from dataset_dm.arguments.table import CountArguments, SamplerArguments, SetArguments
from dataset_dm.checks import check_pair
from dataset_dm.errors import ConfigError, explain
from dataset_dm.labels.tasks import TASKS, TaskSpec
from dataset_dm.labels.vocabulary import WORDS
from dataset_dm.models.adapters import find_adapter
from dataset_dm.models.annotators import check_tasks, find_annotator
from dataset_dm.models.generators import PipelineFacts, find_generator, pipeline_facts
from dataset_dm.plan.configs import Recipe
from dataset_dm.plan.generation_plan import PLAIN, GenerationPlan
from dataset_dm.plan.prompts import resolve_classes, resolve_prompts
from dataset_dm.prompts import check_separable

_SHARD_SIZE = 16  # at least; mosaics need a multiple of their tiles
# pixels of one batch by default: 16 small images, 4 of 512 x 512, one of 1024 x 1024
_BATCH_PIXELS = 2**20
_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
# the count of a split without an end, which only a stream can have: `num_images=None`
ENDLESS = math.inf


def resolve(
    tasks: TaskSpec | Sequence[TaskSpec],
    *,
    label_space: tuple[str, ...] | None = None,
    prompting: Mapping[str, Any] | None = None,
    spelling: Spelling = python,
    **asked: Any,
) -> GenerationPlan:
    """The plan of a request; the keys of `asked` are the fields of `SetArguments`, None means the default.

    Args:
        tasks: the kinds of labels to read, one or several.
        label_space: the classes when `asked` gives none; by default those that the annotator was trained on.
        prompting: settings of the default prompts beyond the classes, see `prompts.Templates`.
        spelling: how messages name the arguments.

    Raises ConfigError, PromptError or ModelError, each with one line: what, got, expected, remedy.
    """
    given = checked(SetArguments, asked, spelling)
    generator = find_generator(given["generator"])
    annotator = find_annotator(given["annotator"], generator)
    facts = pipeline_facts(generator)
    adapter = None if given["adapter"] is None else find_adapter(given["adapter"])
    # an annotator of depth alone knows no classes, but prompts name some
    label_space = label_space or annotator.classes or tuple(WORDS)
    classes = resolve_classes(given["classes"], label_space, generator, spelling)
    wanted = {task.name for task in ((tasks,) if isinstance(tasks, TaskSpec) else tasks)}
    names = tuple(name for name in TASKS if name in wanted)
    check_tasks(names, annotator, classes)
    size, splice = _size(given["size"], facts, spelling), given["splice"]
    shard_size = _shard_size(given["shard_size"], splice, spelling)
    how = {name: given[name] for name in ("append_classes", "class_mix")}
    prompts = resolve_prompts(given["prompts"], classes, generator, prompting or {}, spelling=spelling, **how)
    if splice is not None:
        check_separable(prompts)
    return GenerationPlan(
        tasks=names,
        prompts=prompts,
        generator=generator.name,
        generator_revision=generator.revision,
        generator_hash=generator.fingerprint(),
        adapter=None if adapter is None else adapter.reference,
        adapter_hash=None if adapter is None else adapter.fingerprint(),
        **_sampler(given["sampler"], facts, spelling),
        size=size,
        batch_size=_batch_size(given["batch_size"], shard_size, size, spelling),
        shard_size=shard_size,
        annotator=annotator.name,
        annotator_revision=annotator.revision,
        annotator_hash=annotator.hash,
        classes=classes,
        splice=splice,
        **{name: given[name] for name in PLAIN},
    )


def resolve_recipe(chosen: Recipe, *, spelling: Spelling = python, **asked: Any) -> GenerationPlan:
    """The plan of one config of a set; see `resolve`."""
    how = {"label_space": chosen.classes, "prompting": chosen.prompting, "spelling": spelling}
    return resolve(chosen.tasks, **how, **asked)


def resolve_splits(
    num_images: object, splits: object, default: Mapping[str, int], spelling: Spelling = python
) -> dict[str, int | float]:
    """Split → count. `num_images=N` replaces the count of train; `splits` replaces everything; not both.

    Args:
        num_images: a count; None when it was not given; ENDLESS for a stream without an end.
        splits: split → count; None as a count is ENDLESS.
        default: what there is when neither is given.
        spelling: how messages name the arguments.
    """
    if num_images is not None and splits is not None:
        means = f"{spelling('num_images', 64)} means {spelling('splits', {'train': 64})}"
        raise ConfigError(f"{spelling('num_images')} and {spelling('splits')} were both given; {means}, give one")
    given = checked(CountArguments, {"num_images": num_images, "splits": splits}, spelling)
    if splits is None:
        return dict(default) if num_images is None else {**default, "train": given["num_images"]}
    for name in given["splits"]:
        if not isinstance(name, str) or not _SPLIT_NAME.fullmatch(name) or name == "all":
            expected = "letters, digits and _ such as 'train' (and not 'all')"
            raise ConfigError(explain(f"{spelling('splits')}: name", got=name, expected=expected))
    return {name: _count(name, value, spelling) for name, value in given["splits"].items()}


def _count(split: str, value: object, spelling: Spelling) -> int | float:
    def of_split(name: str, *value: object) -> str:
        if value:
            return spelling("splits", {split: value[0]})
        option = spelling("splits")
        return f"splits[{split!r}]" if option == "splits" else f"{option} {split}"

    return entries(CountArguments)["num_images"].checked(ENDLESS if value is None else value, of_split)


def _sampler(given: Mapping[str, Any] | None, facts: PipelineFacts, spelling: Spelling) -> dict[str, Any]:
    """The generator's own settings too are checked: its `sampler.json` may say anything."""
    chosen = {**facts.sampler, **(given or {})}
    known = entries(SamplerArguments).values()
    sampler = {entry.name: entry.checked(chosen.get(entry.name), spelling, within="sampler") for entry in known}
    if sampler["scheduler"] is None:  # the pipeline's own by name: naming it must not make another set
        sampler["scheduler"] = facts.scheduler
    return sampler


def _size(given: object, facts: PipelineFacts, spelling: Spelling) -> tuple[int, int]:
    """(H, W) in pixels, the generator's own by default."""
    multiple, native = facts.size_multiple, facts.native_size
    expected = f"(height, width) in multiples of {multiple} such as {native}"
    return native if given is None else check_pair(spelling("size"), given, multiple=multiple, expected=expected)


def _shard_size(given: int | None, splice: tuple[int, int] | None, spelling: Spelling) -> int:
    """Samples a shard: a multiple of the tiles, so that no mosaic lies across two shards."""
    tiles = 1 if splice is None else splice[0] * splice[1]
    if given is None:
        return math.ceil(_SHARD_SIZE / tiles) * tiles
    if given % tiles:
        expected = f"a multiple of the {tiles} tiles of {spelling('splice')}"
        raise ConfigError(explain(spelling("shard_size"), got=given, expected=expected))
    return given


def _batch_size(given: int | None, shard_size: int, size: tuple[int, int], spelling: Spelling) -> int:
    if given is None:
        most = max(1, min(16, _BATCH_PIXELS // (size[0] * size[1])))
        return max(batch for batch in range(1, most + 1) if shard_size % batch == 0)
    if shard_size % given:
        expected, remedy = (
            f"a divisor of {spelling('shard_size', shard_size)}",
            f"or change {spelling('shard_size')} too",
        )
        raise ConfigError(explain(spelling("batch_size"), got=given, expected=expected, remedy=remedy))
    return given

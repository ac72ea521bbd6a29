"""Relabel a set: other labels for stored images; no image is generated again, and the first labels are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.arguments import read
from dataset_dm.arguments.declare import Spelling, argument, checked, entries, python
from dataset_dm.checks import check_int, parse_settings
from dataset_dm.errors import ConfigError, StoreError, explain

if TYPE_CHECKING:
    from datasets import DatasetDict

    from dataset_dm.builders.generate import Request
    from dataset_dm.plan.generation_plan import GenerationPlan


@dataclass(frozen=True, kw_only=True)
class RelabelArguments:
    """How a set is relabelled: by another annotator, or by a segmenter that is trained on the labels."""

    rounds: int | None = argument(
        help="train a segmenter on the labels and relabel, N times (default 1)",
        check=partial(check_int, minimum=1),
        metavar="N",
        read=read.whole,
    )
    by: str | None = argument(
        help="relabel by this annotator instead, train nothing", option="--with", metavar="ANNOTATOR"
    )
    segmenter: Mapping[str, Any] | None = argument(
        help="a setting of its training such as steps=3000",
        metavar="KEY=VALUE",
        action="append",
        read=parse_settings,
    )


def relabel(
    name: str, config: str | None = None, *, out: str | Path | None = None, overwrite: bool = False, **arguments: Any
) -> DatasetDict:
    """Relabel the images of a set by another annotator, or by a segmenter that is trained on their labels.

    Args:
        name: as in `generate`.
        config: as in `generate`.
        out: folder to write, as in `generate`.
        overwrite: replace the set in `out`.
        arguments: those of `generate`, which say which set, and: `by` (the other annotator), or `rounds` of training a
            segmenter (default 1) and its settings `segmenter`, such as {"steps": 3000}.

    Returns:
        The splits with their last labels.

    Raises:
        ConfigError: as `generate`, or `by` beside `rounds` or `segmenter`.
        ModelError: an annotator that cannot be loaded, or that does not read the labels of the config.
        StoreError: with `by`: images of the set are missing; `out` cannot be written.

    Examples:
        >>> few = {"num_images": 4, "batch_size": 4, "shard_size": 4, "sampler": {"steps": 2}}
        >>> sets = relabel("voc_synth", by="attention", **few)
        >>> sets["train"][0]["provenance"]["annotator"]
        'attention'
    """
    from datasets import load_dataset

    from dataset_dm.builders.generate import Target, make_set, resolve_request

    own = {known: arguments.pop(known) for known in entries(RelabelArguments) if known in arguments}
    first = resolve_request(name, config, arguments)
    if out is not None:
        check_folder(Path(out), overwrite)
    last = relabelled(first, own)
    if out is None:
        make_set(last)
        labels = {**arguments, "annotator": last.plan.annotator_reference}
        return load_dataset(last.full_name, last.chosen.config, **labels)
    make_set(last, Target(Path(out), f"dataset_dm.relabel({name!r}, …)", overwrite=overwrite))
    return load_dataset(str(out))


def relabelled(first: Request, arguments: Mapping[str, Any], spelling: Spelling = python) -> Request:
    """The request with the plan of the last labels; a segmenter is trained now unless it is there."""
    asked = checked(RelabelArguments, arguments, spelling)
    if asked["by"] is None:
        return _self_train(first, asked["rounds"] or 1, asked["segmenter"] or {}, spelling)
    if asked["rounds"] is not None or asked["segmenter"] is not None:
        both = f"{spelling('rounds')} and {spelling('segmenter')}"
        raise ConfigError(f"{both} are about training one; leave them out, or {spelling('by')}")
    last = replace(first, plan=_with_annotator(first.plan, asked["by"], spelling))
    _check_images(first)
    return last


def check_folder(out: Path, overwrite: bool) -> None:
    """StoreError when `out` may not be written: before minutes of work, not after."""
    from dataset_dm.store.output_folder import OutFolder

    with OutFolder(out, {}, overwrite=overwrite):
        pass


def _self_train(first: Request, rounds: int, settings: Mapping[str, Any], spelling: Spelling) -> Request:
    """The request with the segmenter of the last round; labels of all rounds before are in the store."""
    from dataset_dm.engine.progress import bar
    from dataset_dm.labels.tasks import SEMANTIC
    from dataset_dm.training.segmenter import SegmenterConfig
    from dataset_dm.training.self_training import ensure_segmenter

    if first.plan.tasks != (SEMANTIC.name,):
        remedy = f"take a config with class maps alone, or give another annotator {spelling('by')}"
        raise ConfigError(explain("a segmenter reads class maps", got=list(first.plan.tasks), remedy=remedy))
    config = SegmenterConfig.from_dict(settings)
    split = "train" if "train" in first.counts else next(iter(first.counts))
    last = first
    for number in range(1, rounds + 1):
        last.fill()
        with bar(config.steps, "step", f"round {number} of {rounds}: training a segmenter") as shown:
            folder = ensure_segmenter(
                last.plan, split, first.counts[split], config,
                teacher=first.plan, filters=first.bounds, device=first.device, report=shown.update,
            )  # fmt: skip
        last = replace(first, plan=_with_annotator(first.plan, str(folder), spelling))
    return last


def _with_annotator(plan: GenerationPlan, annotator: str, spelling: Spelling) -> GenerationPlan:
    """The same images of the same classes with another annotator."""
    from dataset_dm.models.annotators import check_tasks, find_annotator
    from dataset_dm.models.generators import find_generator

    found = find_annotator(annotator, find_generator(plan.generator_reference))
    check_tasks(plan.tasks, found, plan.classes)
    if found.hash == plan.annotator_hash:
        raise ConfigError(explain(spelling("by"), got=annotator, expected="another annotator than the first"))
    return replace(plan, annotator=found.name, annotator_revision=found.revision, annotator_hash=found.hash)


def _check_images(first: Request) -> None:
    """StoreError when images are missing: with another annotator none is generated."""
    from dataset_dm.engine import pending

    missing = sum(work.draw for work in pending(first.plan, first.counts))
    if missing:
        remedy = "make them first: dataset-dm generate with the same arguments"
        raise StoreError(explain(f"relabel: {missing} shards of images are not in the store", remedy=remedy))

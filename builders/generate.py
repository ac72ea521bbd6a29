"""Generate a set: check the request, make missing shards, write a folder. The command line and Python call this."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.arguments.declare import Spelling, entries, python
from dataset_dm.arguments.table import CountArguments, SetArguments
from dataset_dm.checks import check_keys
from dataset_dm.engine.options import EngineArguments, EngineChoice, resolve_engine
from dataset_dm.errors import ConfigError, DataError, explain
from dataset_dm.models.annotators import JOIN, names_of
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import PLAIN, in_round
from dataset_dm.plan.resolve import resolve_splits
from dataset_dm.registry import __version__
from dataset_dm.rows.exclusions import read_exclusions
from dataset_dm.rows.filters import RowArguments, from_dict, resamples
from dataset_dm.training.scarce_arguments import TABLES
from dataset_dm.training.scarce_configs import resolve_config

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import DatasetDict

    from dataset_dm.plan.configs import Recipe
    from dataset_dm.plan.generation_plan import GenerationPlan
    from dataset_dm.rows.reader import Rows
    from dataset_dm.rows.set_facts import SetFacts
    from dataset_dm.store.output_folder import OutFolder

# every argument of a set
ARGUMENTS = (CountArguments, SetArguments, EngineArguments, RowArguments, *TABLES.values())


def generate(
    name: str,
    config: str | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **arguments: Any,
) -> DatasetDict:
    """Generate a labelled dataset: images from text, and their labels.

    Images and labels are kept in `$DATASET_DM_HOME`; what is there is not generated again.

    Args:
        name: voc_synth, coco_synth or nyu_synth.
        config: the kind of labels, such as semantic, instance, keypoints, depth, all (default: the set's first).
        out: folder to write: parquet files, card and preview; readable without this package.
        resume: continue or grow the set in `out`.
        overwrite: replace the set in `out`.
        arguments: those of `load_dataset("dataset_dm/voc_synth", …)`: `num_images`, `splits`, `generator`, `annotator`,
            `adapter`, `prompts`, `classes`, `sampler`, `size`, `seed`, `filters`, `engine`, `device` …

    Returns:
        The splits, of `out` if it is given.

    Raises:
        ConfigError: an unknown set, config or argument, or a value out of range.
        PromptError: a prompt source that cannot be used.
        ModelError: generator, adapter or annotator cannot be loaded, or do not belong together.
        StoreError: the store or `out` cannot be written, or `out` is not empty.

    Examples:
        >>> few = {"num_images": 4, "batch_size": 4, "shard_size": 4, "sampler": {"steps": 2}}
        >>> sets = generate("voc_synth", **few, out="voc4")
        >>> sets["train"].num_rows, sets["train"][0]["label"].size
        (4, (128, 128))
    """
    from datasets import load_dataset

    request = resolve_request(name, config, arguments)
    if out is None:
        if resume or overwrite:
            raise ConfigError("generate: resume and overwrite are about out; give out too")
        return load_dataset(request.full_name, request.chosen.config, **arguments)
    made = f"dataset_dm.generate({name!r}, {request.chosen.config!r}, {_call(arguments)}out={str(out)!r})"
    make_set(request, Target(Path(out), made, resume, overwrite))
    return load_dataset(str(out))


@dataclass(frozen=True, kw_only=True)
class Request:
    """A checked request: the config, its plan, rows by split, filters, and where shards are made."""

    chosen: Recipe
    plan: GenerationPlan
    counts: dict[str, int]
    bounds: Mapping[str, Any]
    resample: bool
    device: str
    engine: EngineChoice

    @property
    def full_name(self) -> str:
        """The name for `load_dataset`."""
        return f"dataset_dm/{self.chosen.dataset}"

    def rows(self) -> Rows:
        """The reader of this set's rows, near-duplicates included."""
        from dataset_dm.rows.reader import Rows

        keep = from_dict(self.bounds, [task.name for task in self.chosen.tasks])
        return Rows(self.plan, self.chosen.features, keep, self.resample)

    def fill(self, rows: Rows | None = None) -> tuple[dict[str, float], int]:
        """Make missing shards under progress bars; returns seconds by stage and the number of samples made.

        Later rounds are made too, if `rows` are given and resample.
        """
        from dataset_dm.engine import Engine, fill_set

        with Engine(self.plan, device=self.device, engine=self.engine) as engine:
            made = fill_set(engine, self.counts, rows)
            return dict(engine.seconds), made * self.plan.shard_size

    def tables(self, rows: Rows, split: str) -> Iterator[pa.Table]:
        """The rows of a split from the store, shard by shard; StoreError for a missing one."""
        from dataset_dm.engine import Engine

        count = self.counts[split]
        with Engine(rows.plan) as engine:
            for shard in rows.plan.shards(count):
                later = partial(lambda shard, number: engine.read(in_round(split, number), shard), shard)
                yield rows.table(split, count, *engine.read(split, shard), later)


def resolve_request(
    name: str, config: str | None, arguments: Mapping[str, Any], spelling: Spelling = python
) -> Request:
    """The request behind the arguments of `generate`; raises UserError for anything that cannot be made."""
    check_keys("generate", arguments, [known for table in ARGUMENTS for known in entries(table)])
    chosen = recipe(name, config)
    if chosen.dataset == "miniature":
        remedy = f"load it with load_dataset('dataset_dm/miniature', '{chosen.config}')"
        raise ConfigError(explain("miniature is rendered, not generated", remedy=remedy))
    counts = resolve_splits(**_of(arguments, CountArguments), default=chosen.splits, spelling=spelling)
    bounds = arguments.get("filters") or {}
    from_dict(bounds, [task.name for task in chosen.tasks], spelling)
    resample = resamples(arguments.get("on_drop"), spelling)
    plan = resolve_config(chosen, _of(arguments, SetArguments, *TABLES.values()), spelling)
    return Request(
        chosen=chosen,
        plan=plan,
        counts=counts,
        bounds=bounds,
        resample=resample,
        device=arguments.get("device") or entries(EngineArguments)["device"].default,
        engine=resolve_engine(arguments.get("engine"), spelling),
    )


@dataclass(frozen=True)
class Target:
    """The folder to write, and the command or call that its card names."""

    folder: Path
    command: str
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Made:
    """What `make_set` did: the reader with its counts of dropped rows, facts, samples made, seconds by stage."""

    rows: Rows
    facts: SetFacts
    images: int
    seconds: dict[str, float]


def make_set(request: Request, target: Target | None = None) -> Made:
    """Make missing shards, read all rows, and write them to the folder of `target`, if there is one."""
    from dataset_dm.rows.set_facts import SetFacts
    from dataset_dm.store.output_folder import OutFolder

    start = time.perf_counter()
    rows = replace(request.rows(), excluded=read_exclusions(request.plan).rows)
    facts = SetFacts(rows)
    if target is None:
        seconds, images = request.fill(rows)
        for split in request.counts:
            for _ in facts.watch(request.tables(rows, split)):
                pass
    else:
        plan, chosen = request.plan, request.chosen
        identity = {"dataset": chosen.dataset, "config": chosen.config, "labels": plan.label_fingerprint}
        identity.update(plan.row_settings())
        with OutFolder(target.folder, identity, resume=target.resume, overwrite=target.overwrite) as out:
            seconds, images = request.fill(rows)
            _write(out, request, rows, facts, target.command)
    seconds["total"] = time.perf_counter() - start
    return Made(rows, facts, images, seconds)


def _write(out: OutFolder, request: Request, rows: Rows, facts: SetFacts, command: str) -> None:
    from dataset_dm.hub import CardFacts, write_card
    from dataset_dm.visualization.sheet import read_row, sheet

    chosen = request.chosen
    for split, count in request.counts.items():
        before = rows.dropped.copy()
        if not out.write_split(split, facts.watch(request.tables(rows, split)), rows.schema):
            reasons = ", ".join(f"{reason} {number}" for reason, number in (rows.dropped - before).items())
            what = f"split {split}: all {count} rows were left out by the filters ({reasons})"
            raise DataError(explain(what, remedy="loosen the filters or make more images"))
    shown = [read_row(record, record["provenance"]["index"]) for record in facts.shown]
    title = f"{chosen.dataset} · {chosen.config} · {facts.rows:,} images"
    sheet(shown, list(facts.names), title).save(out.partial / "preview.png", format="PNG")
    card = CardFacts(
        name=chosen.dataset,
        config=chosen.config,
        command=command,
        settings=_settings(rows.plan),
        plan=rows.plan.to_dict(),
        classes=facts.names,
        dropped=dict(rows.dropped),
        dropped_objects=dict(rows.dropped_objects),
        listed=rows.listed,
    )
    write_card(out.partial, card)
    out.publish()


def _settings(plan: GenerationPlan) -> dict[str, Any]:
    """What determines the pixels, for the card."""
    return {
        "generator": f"{_short(plan.generator)} ({plan.generator_hash})",
        "revision": plan.generator_revision,
        "adapter": plan.adapter,
        "annotator": f"{JOIN.join(map(_short, names_of(plan.annotator)))} ({plan.annotator_hash})",
        "steps": plan.steps,
        "guidance": plan.guidance,
        "scheduler": plan.scheduler,
        "size": f"{plan.size[0]} x {plan.size[1]}",
        **({} if plan.splice is None else {"splice": f"{plan.splice[0]} x {plan.splice[1]}"}),
        **{name: getattr(plan, name) for name in PLAIN},
        "images": plan.image_fingerprint,
        "labels": plan.label_fingerprint,
        "made with": f"dataset-dm {__version__}",
    }


def _short(name: str) -> str:
    """The last part of a path or Hub id."""
    return Path(name).name or name


def _of(arguments: Mapping[str, Any], *tables: type) -> dict[str, Any]:
    """The arguments of these tables, None for those that are not given."""
    return {name: arguments.get(name) for table in tables for name in entries(table)}


def _call(arguments: Mapping[str, Any]) -> str:
    return "".join(f"{name}={value!r}, " for name, value in arguments.items())

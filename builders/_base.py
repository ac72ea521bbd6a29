"""What every generated set shares: checked arguments, a cache folder named by fingerprints, shards as tables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import datasets
import pyarrow as pa
from datasets.download.streaming_download_manager import StreamingDownloadManager

from dataset_dm.builders._stream import LANES, EndlessLanes, warn_of_ranks
from dataset_dm.engine import Engine, Work, must_ask_a_worker, resolve_engine
from dataset_dm.engine.progress import bar
from dataset_dm.engine.resample import again, later_rounds, whole
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.records import features
from dataset_dm.plan.configs import CATALOGUE, Recipe, recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import DEFAULTS, ENDLESS, resolve_recipe, resolve_splits
from dataset_dm.rows import filters
from dataset_dm.rows.exclusions import read_exclusions
from dataset_dm.rows.reader import Rows

try:
    from datasets.builder import Key
except ImportError:  # datasets before 4.5 takes any key

    def Key(original_shard_id: int, item_or_batch_id: int) -> str:
        """A key of the older kind."""
        return f"{original_shard_id}-{item_or_batch_id}"


# below the logger of `datasets`, so that its verbosity holds here too
_LOG = datasets.logging.get_logger("datasets.dataset_dm")
# the longest list of splits that is spelt out in a folder's name
_READABLE = 60
# so many rows that were left out are named one by one; `drops.json` of a written folder names them all
_LISTED = 10


@dataclass
class SynthConfigBase(datasets.BuilderConfig):
    """Counts, and a cache folder named by what decides the rows.

    num_images: of train; None in this object is the default. A user's own `num_images=None` is a stream without an end,
    which is ENDLESS here.
    """

    num_images: Any = None
    splits: Any = None

    dataset: ClassVar[str] = ""

    def recipe(self) -> Recipe:
        """Task, columns and default splits of this config."""
        return recipe(self.dataset, self.name)

    def counts(self) -> dict[str, int | float]:
        """Split → number of rows, ENDLESS for a stream without an end."""
        return resolve_splits(self.num_images, self.splits, self.recipe().splits)

    def identity(self) -> str:
        """What tells this set's rows from another's, counts aside."""
        raise NotImplementedError

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Names the cache folder: a default that is spelt out makes no second one, other counts do."""
        spelt = {split: "endless" if count == ENDLESS else count for split, count in self.counts().items()}
        counts = ",".join(f"{split}={count}" for split, count in spelt.items())
        name = f"{self.name}-{self.identity()}-{counts if len(counts) <= _READABLE else _digest(counts)}"
        return name if custom_features is None else f"{name}-{_digest(repr(custom_features))[:8]}"


@dataclass
class SynthConfig(SynthConfigBase):
    """What may be asked for; see the README for each. None means the default."""

    generator: Any = None
    annotator: Any = None
    adapter: Any = None
    prompts: Any = None
    append_classes: Any = None
    class_mix: Any = None
    classes: Any = None
    sampler: Any = None
    size: Any = None
    seed: Any = None
    dtype: Any = None
    batch_size: Any = None
    shard_size: Any = None
    splice: Any = None
    filters: Any = None
    on_drop: Any = None
    device: str = "auto"
    engine: Any = None

    def plan(self) -> GenerationPlan:
        """The resolved plan; raises UserError for anything that cannot be made."""
        return resolve_recipe(self.recipe(), **{name: getattr(self, name) for name in DEFAULTS})

    def keep(self) -> tuple[filters.Filter, ...]:
        """The filters asked for."""
        return filters.from_dict(self.filters, [task.name for task in self.recipe().tasks])

    def rows(self) -> Rows:
        """What turns shards into the tables of this set."""
        plan, drawn_again = self.plan(), filters.resamples(self.on_drop)
        return Rows(plan, self.recipe().features, self.keep(), drawn_again, read_exclusions(plan).rows)

    def identity(self) -> str:
        """The label fingerprint, the filters, what becomes of dropped rows, near-duplicates, the mosaic."""
        self.keep()
        resolve_engine(self.engine)  # a mistake is said at once, and before anything is touched
        plan = self.plan()
        wanted = _digest(json.dumps(dict(self.filters), sort_keys=True))[:8] if self.filters else ""
        wanted += "-resample" if filters.resamples(self.on_drop) else ""
        less = read_exclusions(plan).digest
        wanted += f"-less{less}" if less else ""
        mosaic = "" if plan.splice is None else f"-{plan.splice[0]}x{plan.splice[1]}"
        return f"{plan.label_fingerprint}{wanted}{mosaic}"


class ConfiguredBuilder(datasets.ArrowBasedBuilder):
    """Refuses unknown configs and arguments with a suggestion, and knows streams without an end (see `_stream`)."""

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIG_CLASS = SynthConfigBase

    def _create_builder_config(self, config_name: Any = None, custom_features: Any = None, **kwargs: Any) -> Any:
        known_configs = {config.name: config for config in self.BUILDER_CONFIGS}
        if config_name is not None and config_name not in known_configs:
            known = ", ".join(known_configs)
            close = did_you_mean(str(config_name), known_configs)
            raise ConfigError(f"{self.name}: unknown config {config_name!r}; expected one of {known}{close}")
        # a config may be of a class of its own, with arguments of its own
        kind = type(known_configs[config_name or self.DEFAULT_CONFIG_NAME])
        known_arguments = {entry.name for entry in dataclasses.fields(kind)} | {"config_id"}
        internal = {"name", "version", "data_dir", "data_files", "description", "config_id"}
        for name in kwargs:
            if name not in known_arguments:
                offered = sorted(known_arguments - internal)
                close = did_you_mean(name, offered) or f"; known are {', '.join(offered)}"
                raise ConfigError(f"{self.name}: unknown argument {name!r}{close}")
        if kwargs.get("num_images", 1) is None:  # `datasets` drops what is None
            kwargs["num_images"] = ENDLESS
        return super()._create_builder_config(config_name=config_name, custom_features=custom_features, **kwargs)

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """As `datasets` has it; ConfigError for a set without an end, before anything is made."""
        for split, count in self.config.counts().items():
            if count == ENDLESS:
                expected = "streaming=True for a stream without an end"
                remedy = f"pass it, or for {split} a number such as 64"
                raise ConfigError(explain(f"{self.name}: num_images", got=None, expected=expected, remedy=remedy))
        super().download_and_prepare(*args, **kwargs)

    def _get_examples_iterable_for_split(self, split_generator: datasets.SplitGenerator) -> Any:
        kwargs = split_generator.gen_kwargs
        if kwargs["count"] == ENDLESS:
            return EndlessLanes(self._generate_tables, kwargs)
        warn_of_ranks(f"{self.name}, split {kwargs['split']}", len(kwargs["shards"]), self._rows_per_shard())
        return super()._get_examples_iterable_for_split(split_generator)

    def _rows_per_shard(self) -> int:
        raise NotImplementedError

    def _info(self) -> datasets.DatasetInfo:
        chosen = self.config.recipe()
        return datasets.DatasetInfo(description=chosen.description, features=features(self._columns(chosen)))

    def _columns(self, chosen: Recipe) -> dict[str, Any]:
        raise NotImplementedError


class SynthBuilder(ConfiguredBuilder):
    """A generated set: the engine fills the shard store, tables are read from it.

    Not streaming, everything missing is made before the first table is read, so that `num_proc` only reads. Streaming,
    a shard is made when it is asked for, and its rows flow batch by batch.
    """

    _streams = False  # a stream is read shard by shard, by readers that know nothing of each other: it reports nothing
    _resolved: Rows | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_resolved": None}  # another process resolves it anew

    def _rows(self) -> Rows:
        """A fresh count of what is left out. The plan is looked up once: a stream asks for it shard by shard."""
        if self._resolved is None:
            self._resolved = self.config.rows()
        return replace(self._resolved, dropped=Counter(), listed={}, dropped_objects=Counter())

    def _rows_per_shard(self) -> int:
        plan = self._rows().plan
        return plan.shard_size // plan.samples_per_row

    def _columns(self, chosen: Recipe) -> dict[str, Any]:
        return chosen.features(self.config.plan().classes)

    def _make_split_generators_kwargs(self, prepare_split_kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {"num_proc": prepare_split_kwargs.get("num_proc")}

    def _split_generators(self, dl_manager: Any, num_proc: int | None = None) -> list[datasets.SplitGenerator]:
        plan, counts = self._rows().plan, self.config.counts()
        self._streams = isinstance(dl_manager, StreamingDownloadManager)
        if not self._streams:
            overwrite = bool(getattr(dl_manager.download_config, "force_download", False))
            # readers are forked from this process: after a model ran in it, they would hang
            in_worker = bool(num_proc and num_proc > 1) or must_ask_a_worker()
            chosen = {"device": self.config.device, "engine": self.config.engine}
            with Engine(plan, overwrite=overwrite, in_worker=in_worker, **chosen) as engine:
                _fill(engine, counts)
                _fill_rounds(engine, self._rows(), counts)
        shards = {split: range(LANES) if count == ENDLESS else plan.shards(count) for split, count in counts.items()}
        return [
            datasets.SplitGenerator(split, gen_kwargs={"shards": list(shards[split]), "split": split, "count": count})
            for split, count in counts.items()
        ]

    def _generate_shards(self, shards: list[int], split: str, count: float) -> Iterator[dict[str, Any]]:
        for shard in shards:
            yield {"split": split, "shard": shard}

    def _generate_tables(self, shards: list[int], split: str, count: float) -> Iterator[tuple[Any, pa.Table]]:
        rows = self._rows()
        plan = rows.plan
        ask, chosen = must_ask_a_worker(), {"device": self.config.device, "engine": self.config.engine}
        with Engine(plan, in_worker=ask, keep_worker=True, **chosen) as engine:
            for position, shard in enumerate(shards):  # Key wants the position within this job
                made = engine.rows(Work(split, shard, draw=True))
                # a mosaic may need samples of several batches; nothing else is drawn while a shard is in the making
                parts = made if plan.splice is None and not rows.resample else [whole(made)]
                for part, (images, labels) in enumerate(parts):
                    table = rows.table(split, count, images, labels, again(engine, split, shard))
                    if table.num_rows:
                        yield Key(position, part), table
        if not self._streams:
            _report(self.name, split, rows)


def configs(kind: type[SynthConfigBase], **own: type[SynthConfigBase]) -> list[SynthConfigBase]:
    """One config object for every recipe of the set, the default first; `own` are classes of single configs."""
    return [
        own.get(name, kind)(name=name, version=ConfiguredBuilder.VERSION, description=chosen.description)
        for name, chosen in CATALOGUE[kind.dataset].items()
    ]


def _fill(engine: Engine, counts: Mapping[str, int]) -> None:
    from dataset_dm.engine import pending
    from dataset_dm.store.plans import note_wanted

    work = pending(engine.plan, counts, engine.overwrite)
    if not work:
        note_wanted(engine.plan, counts)
        return
    total = len(work) * engine.plan.shard_size
    with bar(total, " images", "Generating images and labels", kind=datasets.utils.tqdm) as shown:
        engine.fill(counts, report=shown.update)


def _fill_rounds(engine: Engine, rows: Rows, counts: Mapping[str, int]) -> None:
    for work in later_rounds(engine, rows, counts):
        total = len(work) * engine.plan.shard_size
        with bar(total, " images", "Generating in place of dropped rows", kind=datasets.utils.tqdm) as shown:
            engine.complete(work, report=shown.update)


def _report(name: str, split: str, rows: Rows) -> None:
    """One line on what was left out, and why; none when nothing was."""
    which = rows.listed.get(split, {})
    counted = {
        "rows": [f"{reason} {number:,}{_few(which.get(reason, []))}" for reason, number in rows.dropped.items()],
        "objects": [f"{reason} {number:,}" for reason, number in rows.dropped_objects.items()],
    }
    said = [f"{kind} {', '.join(reasons)}" for kind, reasons in counted.items() if reasons]
    if said:
        _LOG.warning("%s, split %s: left out: %s", name, split, "; ".join(said))


def _few(indices: Sequence[int]) -> str:
    """The first of them in brackets."""
    shown = ", ".join(map(str, indices[:_LISTED]))
    return f" ({shown}{', …' if len(indices) > _LISTED else ''})" if shown else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

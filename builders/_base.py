"""Base of the builders: checked arguments, a cache folder named by fingerprints, shards as tables."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import datasets
import pyarrow as pa
from datasets.download.streaming_download_manager import StreamingDownloadManager

from dataset_dm.arguments.declare import checked, entries, with_arguments
from dataset_dm.arguments.table import CountArguments, SetArguments
from dataset_dm.builders._stream import LANES, EndlessLanes, warn_of_ranks
from dataset_dm.engine import Engine, Work, fill_set, must_ask_a_worker, resolve_engine
from dataset_dm.engine.options import EngineArguments
from dataset_dm.engine.resample import again, whole
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.records import features
from dataset_dm.plan.configs import CATALOGUE, Recipe, recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import ENDLESS, resolve_recipe, resolve_splits
from dataset_dm.rows import filters
from dataset_dm.rows.exclusions import Exclusions, read_exclusions
from dataset_dm.rows.filters import RowArguments
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
@with_arguments(of=(CountArguments,), default=None)
class SynthConfigBase(datasets.BuilderConfig):
    """Counts, and a cache folder named by what decides the rows. The value None is the default of an argument.

    num_images: of train. A user's own `num_images=None` is a stream without an end, which is ENDLESS here.
    """

    dataset: ClassVar[str] = ""

    def asked(self, *tables: type) -> dict[str, Any]:
        """The values of the arguments of these tables."""
        return {name: getattr(self, name) for table in tables for name in entries(table)}

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
@with_arguments(of=(SetArguments, RowArguments, EngineArguments), default=None)
class SynthConfig(SynthConfigBase):
    """The arguments of the tables above; see the README for each. Models and prompts are looked up once."""

    _resolved: ClassVar[tuple[GenerationPlan, Exclusions] | None] = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self.__dict__.pop("_resolved", None)

    def __getstate__(self) -> dict[str, Any]:
        # a copy gets other arguments, and another process finds its models elsewhere
        return {name: value for name, value in self.__dict__.items() if name != "_resolved"}

    def resolve(self) -> GenerationPlan:
        """The plan; raises UserError for anything that cannot be made."""
        return resolve_recipe(self.recipe(), **self.asked(SetArguments))

    def plan(self) -> GenerationPlan:
        """The plan, resolved at the first call."""
        return self._known()[0]

    def making(self) -> dict[str, Any]:
        """Device and engine, as `Engine` takes them."""
        given = self.asked(EngineArguments)
        return {**checked(EngineArguments, {**given, "engine": None}), "engine": resolve_engine(given["engine"])}

    def rows(self) -> Rows:
        """What turns shards into the tables of this set; it has counted nothing yet."""
        chosen = self.recipe()
        keep = filters.from_dict(self.filters, [task.name for task in chosen.tasks])
        resample = filters.resamples(self.on_drop)
        plan, excluded = self._known()  # last: models may be looked for on the Hub
        return Rows(plan, chosen.features, keep, resample, excluded.rows)

    def identity(self) -> str:
        """The label fingerprint, the filters, what happens to dropped rows, near-duplicates, the mosaic."""
        self.making()  # raises for a wrong engine before any file is written
        rows, (plan, excluded) = self.rows(), self._known()
        wanted = _digest(json.dumps(dict(self.filters), sort_keys=True))[:8] if self.filters else ""
        wanted += "-resample" if rows.resample else ""
        wanted += f"-less{excluded.digest}" if excluded.digest else ""
        wanted += "" if plan.splice is None else f"-{plan.splice[0]}x{plan.splice[1]}"
        further = plan.plain("rows")
        wanted += f"-{_digest(json.dumps(further, sort_keys=True))[:8]}" if further else ""
        return f"{plan.label_fingerprint}{wanted}"

    def _known(self) -> tuple[GenerationPlan, Exclusions]:
        if self._resolved is None:
            plan = self.resolve()
            self.__dict__["_resolved"] = plan, read_exclusions(plan)
        return self.__dict__["_resolved"]


class ConfiguredBuilder(datasets.ArrowBasedBuilder):
    """Refuses unknown configs and arguments with a suggestion; supports streams without an end (see `_stream`)."""

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
        config, config_id = super()._create_builder_config(config_name, custom_features, **kwargs)
        if config is known_configs.get(config.name):  # all builders of the class share it
            config = copy.deepcopy(config)
        return config, config_id

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """As in `datasets`; ConfigError for a set without an end, before any shard is made."""
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

    _streams = False  # a stream is read shard by shard, by readers that do not share a count: nothing is reported

    def _rows_per_shard(self) -> int:
        plan = self.config.plan()
        return plan.shard_size // plan.samples_per_row

    def _columns(self, chosen: Recipe) -> dict[str, Any]:
        return chosen.features(self.config.plan().classes)

    def _make_split_generators_kwargs(self, prepare_split_kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {"num_proc": prepare_split_kwargs.get("num_proc")}

    def _split_generators(self, dl_manager: Any, num_proc: int | None = None) -> list[datasets.SplitGenerator]:
        plan, counts = self.config.plan(), self.config.counts()
        self._streams = isinstance(dl_manager, StreamingDownloadManager)
        if not self._streams:
            overwrite = bool(getattr(dl_manager.download_config, "force_download", False))
            # readers are forked from this process: after a model ran in it, they would hang
            in_worker = bool(num_proc and num_proc > 1) or must_ask_a_worker()
            with Engine(plan, overwrite=overwrite, in_worker=in_worker, **self.config.making()) as engine:
                fill_set(engine, counts, self.config.rows(), kind=datasets.utils.tqdm)
        shards = {split: range(LANES) if count == ENDLESS else plan.shards(count) for split, count in counts.items()}
        return [
            datasets.SplitGenerator(split, gen_kwargs={"shards": list(shards[split]), "split": split, "count": count})
            for split, count in counts.items()
        ]

    def _generate_shards(self, shards: list[int], split: str, count: float) -> Iterator[dict[str, Any]]:
        for shard in shards:
            yield {"split": split, "shard": shard}

    def _generate_tables(self, shards: list[int], split: str, count: float) -> Iterator[tuple[Any, pa.Table]]:
        rows = self.config.rows()
        plan = rows.plan
        with Engine(plan, in_worker=must_ask_a_worker(), keep_worker=True, **self.config.making()) as engine:
            for position, shard in enumerate(shards):  # Key wants the position within this job
                made = engine.rows(Work(split, shard, draw=True))
                # a mosaic may need samples of several batches, and later rounds need the shard complete
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


def _report(name: str, split: str, rows: Rows) -> None:
    """Logs one line on what was left out and why, none when nothing was."""
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

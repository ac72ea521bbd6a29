"""What every generated set shares: checked arguments, a cache folder named by fingerprints, shards as tables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import datasets
import pyarrow as pa
from datasets.download.streaming_download_manager import StreamingDownloadManager

from dataset_dm import filters
from dataset_dm.catalogue import CATALOGUE, Recipe, recipe
from dataset_dm.engine import Engine, Work, must_ask_a_worker, resolve_engine
from dataset_dm.engine.rounds import again, later_rounds, whole
from dataset_dm.errors import ConfigError, did_you_mean
from dataset_dm.exclusions import read_exclusions
from dataset_dm.plan import GenerationPlan
from dataset_dm.progress import bar
from dataset_dm.records import features
from dataset_dm.request import DEFAULTS, resolve_recipe, resolve_splits
from dataset_dm.rows import Rows

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


@dataclass
class SynthConfigBase(datasets.BuilderConfig):
    """Counts, and a cache folder named by what decides the rows."""

    num_images: Any = None
    splits: Any = None

    dataset: ClassVar[str] = ""

    def recipe(self) -> Recipe:
        """Task, columns and default splits of this config."""
        return recipe(self.dataset, self.name)

    def counts(self) -> dict[str, int]:
        """Split → number of rows."""
        return resolve_splits(self.num_images, self.splits, self.recipe().splits)

    def identity(self) -> str:
        """What tells this set's rows from another's, counts aside."""
        raise NotImplementedError

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Any = None) -> str:
        """Names the cache folder: a default that is spelt out makes no second one, other counts do."""
        counts = ",".join(f"{split}={count}" for split, count in self.counts().items())
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
        return f"{plan.label_fingerprint()}{wanted}{mosaic}"


class ConfiguredBuilder(datasets.ArrowBasedBuilder):
    """Refuses unknown configs and arguments with a suggestion; otherwise as `datasets` has it."""

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
        return super()._create_builder_config(config_name=config_name, custom_features=custom_features, **kwargs)

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
            chosen = {"device": self.config.device, "engine": self.config.engine}
            with Engine(plan, overwrite=overwrite, in_worker=in_worker, **chosen) as engine:
                _fill(engine, counts)
                _fill_rounds(engine, self.config.rows(), counts)
        return [
            datasets.SplitGenerator(
                split, gen_kwargs={"shards": list(plan.shards(count)), "split": split, "count": count}
            )
            for split, count in counts.items()
        ]

    def _generate_shards(self, shards: list[int], split: str, count: int) -> Iterator[dict[str, Any]]:
        for shard in shards:
            yield {"split": split, "shard": shard}

    def _generate_tables(self, shards: list[int], split: str, count: int) -> Iterator[tuple[Any, pa.Table]]:
        rows = self.config.rows()
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
            _report(f"{self.name}, split {split}", rows)


def configs(kind: type[SynthConfigBase], **own: type[SynthConfigBase]) -> list[SynthConfigBase]:
    """One config object for every recipe of the set, the default first; `own` are classes of single configs."""
    return [
        own.get(name, kind)(name=name, version=ConfiguredBuilder.VERSION, description=chosen.description)
        for name, chosen in CATALOGUE[kind.dataset].items()
    ]


def _fill(engine: Engine, counts: Mapping[str, int]) -> None:
    from dataset_dm.engine import pending

    work = pending(engine.plan, counts, engine.overwrite)
    if not work:
        return
    total = len(work) * engine.plan.shard_size
    with bar(total, " images", "Generating images and labels", kind=datasets.utils.tqdm) as shown:
        engine.fill(counts, report=shown.update)


def _fill_rounds(engine: Engine, rows: Rows, counts: Mapping[str, int]) -> None:
    for work in later_rounds(engine, rows, counts):
        total = len(work) * engine.plan.shard_size
        with bar(total, " images", "Generating in place of dropped rows", kind=datasets.utils.tqdm) as shown:
            engine.complete(work, report=shown.update)


def _report(what: str, rows: Rows) -> None:
    """One line on what was left out, and why; none when nothing was."""
    counted = {"rows": rows.dropped, "objects": rows.dropped_objects}
    said = [
        f"{kind} {', '.join(f'{reason} {number:,}' for reason, number in reasons.items())}"
        for kind, reasons in counted.items()
        if reasons
    ]
    if said:
        _LOG.warning("%s: left out: %s", what, "; ".join(said))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

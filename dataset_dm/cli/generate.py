"""`dataset-dm generate NAME [CONFIG]`: draw images out of text, label them, write a dataset folder."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm import __version__
from dataset_dm.arguments.declare import command_line
from dataset_dm.arguments.table import CountArguments, SetArguments
from dataset_dm.cli import engine_options, options
from dataset_dm.cli.summary import Facts, summary
from dataset_dm.engine.options import EngineArguments
from dataset_dm.errors import ConfigError, DataError, explain
from dataset_dm.models.annotators import JOIN, names_of
from dataset_dm.plan.generation_plan import PLAIN
from dataset_dm.rows.filters import RowArguments, from_dict, resamples
from dataset_dm.training.scarce_arguments import TABLES

if TYPE_CHECKING:
    from dataset_dm.plan.configs import Recipe
    from dataset_dm.plan.generation_plan import GenerationPlan
    from dataset_dm.rows.reader import Rows
    from dataset_dm.store.output_folder import OutFolder

HINT = (
    ": finished shards are kept; run the same command again to go on (with --resume if its --out folder exists already)"
)
# every argument that an option of `generate` gives
_TABLES = (CountArguments, SetArguments, EngineArguments, RowArguments, *TABLES.values())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to make, how, and where to."""
    parser.add_argument("name", metavar="NAME", help="voc_synth, coco_synth or nyu_synth")
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="the kind of labels, such as semantic, instance, keypoints, depth, all (default: the set's first)",
    )
    options.add_options(parser, CountArguments, SetArguments)
    engine_options.add_arguments(parser)
    options.add_options(parser, RowArguments)
    group = parser.add_argument_group(
        "zero_shot and long_tail", "their decoder is trained when it is first needed, unless --annotator is given"
    )
    options.add_options(group, *TABLES.values())
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write; without it only the store is filled")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with, or let grow, the set in --out")
    again.add_argument("--overwrite", action="store_true", help="replace the set in --out")


@dataclass(frozen=True)
class Request:
    """What a command line asks for, checked: the config, its plan, rows a split, its filters and what follows them."""

    chosen: Recipe
    plan: GenerationPlan
    counts: dict[str, int]
    bounds: dict[str, Any]
    resample: bool = False

    def rows(self) -> Rows:
        """What turns shards into the tables of this set, near-duplicates not yet left out."""
        from dataset_dm.rows.reader import Rows

        keep = from_dict(self.bounds, [task.name for task in self.chosen.tasks])
        return Rows(self.plan, self.chosen.features, keep, self.resample)


def run(args: argparse.Namespace) -> int:
    """Checks everything, makes what is missing, writes the folder, prints the summary."""
    asked = request(args)
    with engine_options.listening(args):
        produce(args, asked)
    return 0


def request(args: argparse.Namespace) -> Request:
    """Of the arguments of `add_arguments`; raises UserError for anything that cannot be made."""
    from dataset_dm.plan.configs import recipe
    from dataset_dm.plan.resolve import resolve_splits
    from dataset_dm.training.scarce_configs import resolve_config

    chosen = recipe(args.name, args.config)
    if chosen.dataset == "miniature":
        remedy = f"load it with load_dataset('dataset_dm/miniature', '{chosen.config}')"
        raise ConfigError(explain("miniature is rendered, not generated", remedy=remedy))
    spelling = command_line(*_TABLES)
    counts = resolve_splits(**options.asked(args, CountArguments), default=chosen.splits, spelling=spelling)
    of_rows = options.asked(args, RowArguments)
    bounds = of_rows["filters"] or {}
    from_dict(bounds, [task.name for task in chosen.tasks], spelling)
    resample = resamples(of_rows["on_drop"], spelling)
    plan = resolve_config(chosen, options.asked(args, SetArguments, *TABLES.values()), spelling)
    engine_options.chosen(args)  # raises for a wrong engine before any file is written
    if args.out is None and (args.resume or args.overwrite):
        raise ConfigError("--resume and --overwrite are about --out; give --out DIR too")
    return Request(chosen, plan, counts, bounds, resample)


def produce(args: argparse.Namespace, asked: Request) -> None:
    """Makes what is missing, writes the folder, prints the summary."""
    from dataset_dm.rows.exclusions import read_exclusions

    start = time.perf_counter()
    chosen, plan, counts = asked.chosen, asked.plan, asked.counts
    rows = replace(asked.rows(), excluded=read_exclusions(plan).rows)
    if args.out is None:
        seconds, made = engine_options.fill(plan, counts, args, rows)
        facts = Facts(rows)
        for split, count in counts.items():
            for table in facts.watch(tables(rows, split, count)):
                del table
    else:
        from dataset_dm.store.output_folder import OutFolder

        identity = {"dataset": chosen.dataset, "config": chosen.config, "labels": plan.label_fingerprint}
        identity.update(plan.row_settings())
        with OutFolder(args.out, identity, resume=args.resume, overwrite=args.overwrite) as out:
            seconds, made = engine_options.fill(plan, counts, args, rows)
            facts = _write(out, chosen, rows, counts)
    seconds["total"] = time.perf_counter() - start
    print(summary(facts, rows, counts, made, seconds, args.out))


def tables(rows: Rows, split: str, count: int) -> Iterator[Any]:
    """The rows of a split, shard by shard, out of the store; StoreError for one that is not there."""
    from dataset_dm.engine import Engine
    from dataset_dm.plan.generation_plan import in_round

    with Engine(rows.plan) as engine:
        for shard in rows.plan.shards(count):
            later = partial(lambda shard, number: engine.read(in_round(split, number), shard), shard)
            yield rows.table(split, count, *engine.read(split, shard), later)


def _write(out: OutFolder, chosen: Recipe, rows: Rows, counts: dict[str, int]) -> Facts:
    from dataset_dm.hub import CardFacts, write_card

    facts = Facts(rows)
    for split, count in counts.items():
        before = rows.dropped.copy()
        if not out.write_split(split, facts.watch(tables(rows, split, count)), rows.schema):
            reasons = ", ".join(f"{reason} {number}" for reason, number in (rows.dropped - before).items())
            what = f"split {split}: all {count} rows were left out by the filters ({reasons})"
            raise DataError(explain(what, remedy="loosen the filters or make more images"))
    title = f"{chosen.dataset} · {chosen.config} · {facts.rows:,} images"
    _draw_preview(facts, out.partial / "preview.png", title)
    write_card(
        out.partial,
        CardFacts(
            name=chosen.dataset,
            config=chosen.config,
            command=shlex.join(["dataset-dm", *sys.argv[1:]]),
            settings=_settings(rows.plan),
            plan=rows.plan.to_dict(),
            classes=facts.names,
            dropped=dict(rows.dropped),
            dropped_objects=dict(rows.dropped_objects),
            listed=rows.listed,
        ),
    )
    out.publish()
    return facts


def _draw_preview(facts: Facts, file: Path, title: str) -> None:
    from dataset_dm.visualization.sheet import read_row, sheet

    shown = [read_row(record, record["provenance"]["index"]) for record in facts.shown]
    sheet(shown, list(facts.names), title).save(file, format="PNG")


def _settings(plan: GenerationPlan) -> dict[str, Any]:
    """What decided the pixels, for the card."""
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
